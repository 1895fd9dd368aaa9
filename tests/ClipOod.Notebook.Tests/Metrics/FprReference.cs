namespace ClipOod.Notebook.Tests;

/// <summary>The five FPR conventions written out point by point from the table of the methods specification, slow and plain.</summary>
internal static class FprReference
{
    public static double Fpr(double[] id, double[] ood, FprConvention convention, double tpr)
    {
        double[] negatedId = [.. id.Select(v => -v)], negatedOod = [.. ood.Select(v => -v)];
        return convention switch
        {
            FprConvention.FirstAtLeast => First(Points(id, ood), tpr),
            FprConvention.Interp => Interpolated(Points(id, ood), tpr),
            FprConvention.NearestRecall => Nearest(Points(id, ood), tpr),
            FprConvention.OpenOod => First(DropCollinear(Points(negatedOod, negatedId), ood.Length, id.Length), tpr),
            FprConvention.PytorchOod => First(Points(negatedOod, negatedId), tpr),
            _ => throw new ArgumentOutOfRangeException(nameof(convention)),
        };
    }

    /// <summary>ROC points at the distinct scores from high to low, without the origin.</summary>
    private static List<(double Tpr, double Fpr)> Points(double[] positives, double[] negatives) =>
        [.. positives.Concat(negatives).Distinct().OrderDescending().Select(t => (
            positives.Count(v => v >= t) / (double)positives.Length,
            negatives.Count(v => v >= t) / (double)negatives.Length))];

    private static double First(List<(double Tpr, double Fpr)> points, double tpr) => points.First(p => p.Tpr >= tpr).Fpr;

    private static double Interpolated(List<(double Tpr, double Fpr)> points, double tpr)
    {
        List<(double Tpr, double Fpr)> all = [(0, 0), .. points];
        int left = all.FindLastIndex(p => p.Tpr <= tpr);
        return left == all.Count - 1
            ? all[left].Fpr
            : all[left].Fpr + ((tpr - all[left].Tpr) * (all[left + 1].Fpr - all[left].Fpr) / (all[left + 1].Tpr - all[left].Tpr));
    }

    /// <summary>Points after the first of full recall are cut, the rest is scanned backwards, and the first minimum wins.</summary>
    private static double Nearest(List<(double Tpr, double Fpr)> points, double tpr)
    {
        IEnumerable<(double Tpr, double Fpr)> scan = points.Take(points.FindIndex(p => p.Tpr == 1) + 1).Reverse();
        return scan.MinBy(p => Math.Abs(p.Tpr - tpr)).Fpr;
    }

    private static List<(double Tpr, double Fpr)> DropCollinear(List<(double Tpr, double Fpr)> points, int positives, int negatives)
    {
        long[] tps = [.. points.Select(p => (long)Math.Round(p.Tpr * positives))];
        long[] fps = [.. points.Select(p => (long)Math.Round(p.Fpr * negatives))];
        bool Keep(int i) => i == 0 || i == points.Count - 1
            || tps[i + 1] - (2 * tps[i]) + tps[i - 1] != 0
            || fps[i + 1] - (2 * fps[i]) + fps[i - 1] != 0;
        return [.. points.Where((_, i) => Keep(i))];
    }
}
