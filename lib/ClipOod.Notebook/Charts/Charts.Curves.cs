using Plotly.NET;

namespace ClipOod.Notebook;

public static partial class Charts
{
    /// <summary>The ROC curve of one score, ID positive, with the point at which 95 % of the ID images are accepted.</summary>
    /// <param name="id">Scores of the ID images.</param>
    /// <param name="ood">Scores of the OOD images.</param>
    /// <param name="title">Null names the score and its AUROC.</param>
    /// <exception cref="ArgumentException">A side is empty.</exception>
    public static ChartView Roc(IdScores id, IdScores ood, string? title = null)
    {
        ArgumentNullException.ThrowIfNull(id);
        return Roc([(id.Name, id, ood)], title ?? $"ROC of {id.Name}: AUROC {Numbers.Percent(Metrics.Auroc(id, ood))}");
    }

    /// <summary>ROC curves, ID positive, each with the point at which 95 % of its ID images are accepted.</summary>
    /// <param name="curves">Name of each curve and the scores of its ID and OOD images.</param>
    /// <param name="title">What is compared.</param>
    /// <exception cref="ArgumentException">There is no curve, or a side is empty.</exception>
    public static ChartView Roc(IReadOnlyList<(string Name, IdScores Id, IdScores Ood)> curves, string title = "ROC curves")
    {
        RequireSome(curves, nameof(curves));
        double[] auroc = [.. curves.Select(curve => Metrics.Auroc(curve.Id, curve.Ood))];
        double[] tpr95 = [.. curves.Select(curve => FractionAtLeast(curve.Id, Metrics.ThresholdAtTpr(curve.Id, TargetTpr)))];
        double[] fpr95 = [.. curves.Select(curve => Metrics.FprAtTpr(curve.Id, curve.Ood, FprConvention.FirstAtLeast, TargetTpr))];

        var traces = new List<Trace> { Guide("chance", [0, 1], [0, 1]) };
        traces.AddRange(curves.Select((curve, i) => Curve(
            i, $"{curve.Name}: AUROC {Numbers.Percent(auroc[i])}", Sides(curve.Id, curve.Ood), Metrics.RocCurve(curve.Id, curve.Ood), "TPR %{y:.2%} at FPR %{x:.2%}")));
        traces.Add(Plot.Trace("scatter", new
        {
            name = curves.Count == 1 ? $"95 % of ID accepted: FPR95 {Numbers.Percent(fpr95[0])}" : "95 % of ID accepted (FPR95)",
            mode = "markers",
            x = Plot.Values(fpr95),
            y = Plot.Values(tpr95),
            marker = new { symbol = "circle-open", size = 11, color = curves.Select((_, i) => Plot.Color(i)).ToArray(), line = new { width = 2.5 } },
            customdata = curves.Select(curve => Html.Escape(curve.Name)).ToArray(),
            hovertemplate = "%{customdata}: FPR95 %{x:.2%}<extra></extra>",
        }));

        string[] texts = [.. curves.Select((curve, i) =>
            $"{curve.Name}: AUROC {Numbers.Percent(auroc[i])}, FPR95 {Numbers.Percent(fpr95[i])}, {Sides(curve.Id, curve.Ood)}.")];
        ResultTable table = new ResultTable("Curves")
            .Text("curve", curves.Select(curve => curve.Name))
            .Percent("AUROC", auroc)
            .Percent("FPR95 (FirstAtLeast)", fpr95);
        foreach (double fpr in new[] { 0.01, 0.05, 0.1 })
        {
            table = table.Percent($"TPR at FPR ≤ {100 * fpr:0}\u00a0%", curves.Select(curve => TprWithin(curve.Id, curve.Ood, fpr)));
        }

        return SquareChart(
            traces,
            Plot.XAxis("FPR: OOD taken as ID (lower = better)", new { range = UnitRange, tickformat = ".0%" }),
            Plot.YAxis("TPR: ID taken as ID (higher = better)", new { range = UnitRange, tickformat = ".0%" }),
            title,
            "",
            "ROC curves, in-distribution positive. " + string.Join(" ", texts),
            table);
    }

    /// <summary>
    /// What every threshold on a score would flag, as curves, and what given thresholds do flag, as points: sets of thresholds that differ in
    /// their rates but lie on one curve differ in the price that they pay, not in what they can tell apart.
    /// </summary>
    /// <param name="title">What is flagged.</param>
    /// <param name="curves">Name of each score, and its values for the images that should not be flagged (ID) and that should (OOD).</param>
    /// <param name="points">Name and counts of each set of thresholds.</param>
    /// <exception cref="ArgumentException">There is no curve or point, or a side is empty.</exception>
    public static ChartView OperatingPoints(
        string title,
        IReadOnlyList<(string Name, IdScores Id, IdScores Ood)> curves,
        IReadOnlyList<(string Name, DetectionResult Result)> points)
    {
        RequireSome(curves, nameof(curves));
        RequireSome(points, nameof(points));
        var traces = new List<Trace> { Guide("chance", [0, 1], [0, 1]) };
        for (int i = 0; i < curves.Count; i++)
        {
            (string name, IdScores id, IdScores ood) = curves[i];
            CurvePoints roc = Metrics.RocCurve(id, ood);
            double[] alarms = [.. roc.Y.Select(accepted => 1 - accepted)], found = [.. roc.X.Select(accepted => 1 - accepted)];
            int[] kept = Polyline.Thin(alarms, found);
            traces.Add(Plot.Trace("scatter", new
            {
                name = Html.Escape($"any threshold on {name}"),
                mode = "lines",
                x = Plot.Values(kept.Select(k => alarms[k])),
                y = Plot.Values(kept.Select(k => found[k])),
                line = new { color = Plot.Color(i), width = 2, dash = Plot.Dash(i) },
                hovertemplate = "%{y:.1%} found at %{x:.1%}",
            }));
        }

        for (int i = 0; i < points.Count; i++)
        {
            (string name, DetectionResult result) = points[i];
            traces.Add(Plot.Trace("scatter", new
            {
                name = Html.Escape(name),
                mode = "markers",
                x = Plot.Values([result.FalseAlarmRate]),
                y = Plot.Values([result.DetectionRate]),
                marker = new { color = Plot.Color(curves.Count + i), symbol = Plot.Symbol(i), size = 11, line = new { width = 1, color = Plot.GuideColor } },
                hovertemplate = $"{Html.Escape(name)}: %{{y:.1%}} found at %{{x:.1%}}<extra></extra>",
            }));
        }

        ResultTable table = new ResultTable("Operating points")
            .Text("thresholds", points.Select(point => point.Name))
            .Percent("false alarms", points.Select(point => point.Result.FalseAlarmRate))
            .Percent("detection rate", points.Select(point => point.Result.DetectionRate));
        return SquareChart(
            traces,
            Plot.XAxis("Price: flagged, and should not be (lower = better)", new { range = UnitRange, tickformat = ".0%" }),
            Plot.YAxis("Detection rate (higher = better)", new { range = UnitRange, tickformat = ".0%" }),
            title,
            "A point is a set of thresholds; a curve is what all thresholds on a score could reach.",
            "Operating points. " + string.Join(" ", points.Select(point =>
                $"{point.Name}: {Numbers.Percent(point.Result.DetectionRate)} found at {Numbers.Percent(point.Result.FalseAlarmRate)} false alarms.")),
            table);
    }

    /// <summary>The precision-recall curve of one score.</summary>
    /// <param name="id">Scores of the ID images.</param>
    /// <param name="ood">Scores of the OOD images.</param>
    /// <param name="positive">Which side is to be found.</param>
    /// <param name="title">Null names the score and its average precision.</param>
    /// <exception cref="ArgumentException">A side is empty.</exception>
    public static ChartView PrecisionRecall(IdScores id, IdScores ood, Positive positive = Positive.Id, string? title = null)
    {
        ArgumentNullException.ThrowIfNull(id);
        string precision = Numbers.Percent(Metrics.AveragePrecision(id, ood, positive));
        return PrecisionRecall([(id.Name, id, ood)], positive, title ?? $"Precision and recall of {id.Name}: average precision {precision}");
    }

    /// <summary>Precision-recall curves.</summary>
    /// <param name="curves">Name of each curve and the scores of its ID and OOD images.</param>
    /// <param name="positive">Which side is to be found.</param>
    /// <param name="title">What is compared.</param>
    /// <exception cref="ArgumentException">There is no curve, or a side is empty.</exception>
    public static ChartView PrecisionRecall(
        IReadOnlyList<(string Name, IdScores Id, IdScores Ood)> curves, Positive positive = Positive.Id, string title = "Precision and recall")
    {
        RequireSome(curves, nameof(curves));
        string side = positive == Positive.Id ? "ID" : "OOD";
        double[] average = [.. curves.Select(curve => Metrics.AveragePrecision(curve.Id, curve.Ood, positive))];
        double[] shares = [.. curves.Select(curve =>
            (double)(positive == Positive.Id ? curve.Id.Count : curve.Ood.Count) / (curve.Id.Count + curve.Ood.Count))];
        double[] trapezoid = [.. curves.Select(curve => Metrics.AuprTrapezoid(curve.Id, curve.Ood, positive))];

        // The share of positives is what guessing reaches; curves on different images have different ones.
        var traces = new List<Trace>(shares.Distinct().Select((share, i) =>
            Guide(i == 0 ? $"chance (share of {side} images)" : $"chance ({i + 1})", [0, 1], [share, share])));
        traces.AddRange(curves.Select((curve, i) => Curve(
            i, $"{curve.Name}: AP {Numbers.Percent(average[i])}", Sides(curve.Id, curve.Ood), Metrics.PrCurve(curve.Id, curve.Ood, positive), "precision %{y:.2%} at recall %{x:.2%}")));
        ResultTable table = new ResultTable("Curves")
            .Text("curve", curves.Select(curve => curve.Name))
            .Percent("average precision", average)
            .Percent("trapezoid area", trapezoid)
            .Percent($"share of {side} images", shares);
        return SquareChart(
            traces,
            Plot.XAxis("Recall (higher = better)", new { range = UnitRange, tickformat = ".0%" }),
            Plot.YAxis("Precision (higher = better)", new { range = UnitRange, tickformat = ".0%" }),
            title,
            $"Recall is the share of the {side} images that is found, precision the share of {side} among what is found.",
            $"Precision-recall curves, {side} positive. " + string.Join(" ", curves.Select((curve, i) =>
                $"{curve.Name}: average precision {Numbers.Percent(average[i])}, {Sides(curve.Id, curve.Ood)}.")),
            table);
    }

    /// <summary>
    /// The share of correct predictions in bins of confidence, beside the confidence itself, and the number of images of
    /// each bin below. Bars under the diagonal mean overconfidence.
    /// </summary>
    /// <param name="confidence">N confidences, 0–1.</param>
    /// <param name="correct">Whether each of the N predictions is correct.</param>
    /// <param name="bins">Number of bins of equal width.</param>
    /// <param name="title">Null gives the expected calibration error (ECE).</param>
    /// <exception cref="ArgumentException">There is no prediction, lengths differ, or a confidence is outside 0–1.</exception>
    public static ChartView Reliability(double[] confidence, bool[] correct, int bins = 15, string? title = null)
    {
        IReadOnlyList<CalibrationBin> all = Calibration.Bins(confidence, correct, bins);
        double ece = Calibration.Ece(confidence, correct, bins);
        double accuracy = (double)correct.Count(right => right) / correct.Length;
        double[] centers = [.. all.Select(bin => (bin.Low + bin.High) / 2)];
        double[] widths = [.. all.Select(bin => bin.High - bin.Low)];
        CalibrationBin[] filled = [.. all.Where(bin => bin.Count > 0)];
        string[] ranges = [.. all.Select(bin => $"{Numbers.Percent(bin.Low)} to {Numbers.Percent(bin.High)}, n = {Numbers.Count(bin.Count)}")];

        Trace[] traces =
        [
            Plot.Trace("bar", new
            {
                name = $"accuracy (n = {Numbers.Count(confidence.Length)})",
                x = Plot.Values(centers),
                y = Plot.Values(all.Select(bin => bin.Count == 0 ? double.NaN : bin.Accuracy)),
                width = widths,
                marker = new { color = Plot.Faded(Plot.IdColor, 0.7), line = new { color = Plot.IdColor, width = 1 } },
                customdata = ranges,
                hovertemplate = "%{customdata}: accuracy %{y:.2%}<extra></extra>",
            }),
            Plot.Trace("scatter", new
            {
                name = "mean confidence",
                mode = "markers",
                x = Plot.Values(filled.Select(bin => bin.MeanConfidence)),
                y = Plot.Values(filled.Select(bin => bin.MeanConfidence)),
                marker = new { color = Plot.OodColor, symbol = "diamond", size = 7 },
                hovertemplate = "mean confidence %{y:.2%}<extra></extra>",
            }),
            Guide("calibrated", [0, 1], [0, 1]),
            Plot.Trace("bar", new
            {
                showlegend = false,
                x = Plot.Values(centers),
                y = all.Select(bin => bin.Count),
                width = widths,
                yaxis = "y2",
                marker = new { color = Plot.Faded(Plot.GuideColor, 0.6) },
                customdata = ranges,
                hovertemplate = "%{customdata}<extra></extra>",
            }),
        ];
        GenericChart chart = Plot.Chart(traces, new
        {
            xaxis = Plot.XAxis("Confidence (higher = surer)", new { range = UnitRange, tickformat = ".0%", anchor = "y2" }),
            yaxis = Plot.YAxis("Accuracy (on the line = calibrated)", new { range = UnitRange, tickformat = ".0%", domain = new[] { 0.34, 1 } }),
            yaxis2 = Plot.YAxis("Images", new { domain = new[] { 0, 0.24 }, nticks = 3 }),
            barmode = "overlay",
        }, 420);
        double gap = confidence.Average() - accuracy;
        string verdict = gap > 0 ? "overconfident" : "underconfident";
        string alt = $"Reliability of {Numbers.Count(confidence.Length)} predictions in {bins} bins: mean confidence {Numbers.Percent(confidence.Average())}, "
            + $"accuracy {Numbers.Percent(accuracy)}, so {verdict} by {Numbers.Percent(Math.Abs(gap))} on average; ECE {Numbers.Percent(ece)}.";
        ResultTable table = new ResultTable("Bins")
            .Percent("from", all.Select(bin => bin.Low))
            .Percent("to", all.Select(bin => bin.High))
            .Count("images", all.Select(bin => bin.Count))
            .Percent("mean confidence", all.Select(bin => bin.Count == 0 ? double.NaN : bin.MeanConfidence))
            .Percent("accuracy", all.Select(bin => bin.Count == 0 ? double.NaN : bin.Accuracy));
        return new ChartView(chart, title ?? $"Reliability: ECE {Numbers.Percent(ece)}", "", alt, table) { MaxWidth = SquareWidth };
    }

    private const int SquareWidth = 36;

    private static double[] UnitRange => [-0.01, 1.01];

    private static ChartView SquareChart(
        List<Trace> traces, IDictionary<string, object> xaxis, IDictionary<string, object> yaxis, string title, string caption, string alt, ResultTable table)
    {
        // A long legend is given room of its own instead of the curves'.
        int height = 420 + (32 * Math.Max(0, traces.Count - 3));
        return new ChartView(Plot.Chart(traces, new { xaxis, yaxis, hovermode = "closest" }, height), title, caption, alt, table) { MaxWidth = SquareWidth };
    }

    private static Trace Curve(int series, string name, string size, CurvePoints points, string hover)
    {
        int[] kept = Polyline.Thin([.. points.X], [.. points.Y]);
        return Plot.Trace("scatter", new
        {
            // A phone cuts longer lines of a legend.
            name = Html.Escape(name) + (name.Length + size.Length > 38 ? "<br>" : " ") + $"({size})",
            mode = "lines",
            x = Plot.Values(kept.Select(k => points.X[k])),
            y = Plot.Values(kept.Select(k => points.Y[k])),
            customdata = Plot.Values(kept.Select(k => points.Thresholds[k])),
            line = new { color = Plot.Color(series), width = 2, dash = Plot.Dash(series) },
            hovertemplate = $"{Html.Escape(name)}<br>{hover}<br>threshold %{{customdata:.4g}}<extra></extra>",
        });
    }

    private static Trace Guide(string name, double[] x, double[] y) => Plot.Trace("scatter", new
    {
        name,
        mode = "lines",
        x,
        y,
        line = new { color = Plot.GuideColor, width = 1.2, dash = "dot" },
        hoverinfo = "skip",
    });

    private static double TprWithin(IdScores id, IdScores ood, double fpr)
    {
        CurvePoints roc = Metrics.RocCurve(id, ood);
        return roc.Y[Enumerable.Range(0, roc.X.Count).Last(i => roc.X[i] <= fpr)];
    }

    private static string Sides(IdScores id, IdScores ood) => $"n = {Numbers.Count(id.Count)} ID, {Numbers.Count(ood.Count)} OOD";
}
