namespace ClipOod.Notebook;

/// <summary>Thins long curves before they are drawn.</summary>
internal static class Polyline
{
    private const int MaxPoints = 500;

    /// <summary>
    /// Positions of at most 500 points whose polyline looks like the whole: no point left out lies farther from it than
    /// a tolerance, as a share of the curve's width and height, that starts below a screen's pixel
    /// (Douglas and Peucker 1973).
    /// </summary>
    public static int[] Thin(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        if (x.Length <= MaxPoints)
        {
            return [.. Enumerable.Range(0, x.Length)];
        }

        double[] u = ToUnit(x), v = ToUnit(y);
        for (double tolerance = 1e-4; ; tolerance *= 2)
        {
            int[] kept = Simplify(u, v, tolerance);
            if (kept.Length <= MaxPoints)
            {
                return kept;
            }
        }
    }

    private static int[] Simplify(double[] x, double[] y, double tolerance)
    {
        bool[] keep = new bool[x.Length];
        keep[0] = keep[^1] = true;
        var open = new Stack<(int First, int Last)>([(0, x.Length - 1)]);
        while (open.TryPop(out (int First, int Last) part))
        {
            (int farthest, double distance) = Farthest(x, y, part.First, part.Last);
            if (distance > tolerance)
            {
                keep[farthest] = true;
                open.Push((part.First, farthest));
                open.Push((farthest, part.Last));
            }
        }

        return [.. Enumerable.Range(0, x.Length).Where(i => keep[i])];
    }

    private static (int Index, double Distance) Farthest(double[] x, double[] y, int first, int last)
    {
        double dx = x[last] - x[first], dy = y[last] - y[first];
        double length = Math.Sqrt((dx * dx) + (dy * dy));
        (int index, double distance) = (first, 0);
        for (int i = first + 1; i < last; i++)
        {
            double px = x[i] - x[first], py = y[i] - y[first];
            double d = length > 0 ? Math.Abs((dx * py) - (dy * px)) / length : Math.Sqrt((px * px) + (py * py));
            if (d > distance)
            {
                (index, distance) = (i, d);
            }
        }

        return (index, distance);
    }

    private static double[] ToUnit(ReadOnlySpan<double> values)
    {
        double[] result = values.ToArray();
        double low = result.Where(double.IsFinite).DefaultIfEmpty(0).Min();
        double range = result.Where(double.IsFinite).DefaultIfEmpty(0).Max() - low;
        for (int i = 0; i < result.Length; i++)
        {
            result[i] = double.IsFinite(result[i]) && range > 0 ? (result[i] - low) / range : 0;
        }

        return result;
    }
}
