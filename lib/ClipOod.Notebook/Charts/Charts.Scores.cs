using Plotly.NET;

namespace ClipOod.Notebook;

/// <summary>
/// The workbook's charts. Each has a title, axes named with their direction, the number of images in the legend, an
/// alternative text computed from the data, and the plotted numbers as a table. ID is blue and drawn first, OOD orange.
/// </summary>
public static partial class Charts
{
    private const double TargetTpr = 0.95;

    /// <summary>Overlaid densities of the scores of ID and OOD images over the same bins, with a threshold.</summary>
    /// <param name="id">Scores of the ID images.</param>
    /// <param name="ood">Scores of the OOD images.</param>
    /// <param name="threshold">Images scoring at or above it are taken as ID; null draws the one that keeps 95 % of the ID images.</param>
    /// <param name="title">Null says what is compared.</param>
    /// <exception cref="ArgumentException">A side is empty.</exception>
    public static ChartView ScoreHistogram(IdScores id, IdScores ood, double? threshold = null, string? title = null) =>
        ScoreHistogram(("ID", id), [("OOD", ood)], threshold, title);

    /// <summary>Overlaid densities of the scores of an ID data set and of OOD data sets over the same bins, with a threshold.</summary>
    /// <param name="id">Name and scores of the ID data set.</param>
    /// <param name="ood">Names and scores of one or more OOD data sets.</param>
    /// <param name="threshold">Images scoring at or above it are taken as ID; null draws the one that keeps 95 % of the ID images.</param>
    /// <param name="title">Null says what is compared.</param>
    /// <exception cref="ArgumentException">A data set is empty, or no OOD data set is given.</exception>
    public static ChartView ScoreHistogram(
        (string Name, IdScores Scores) id,
        IReadOnlyList<(string Name, IdScores Scores)> ood,
        double? threshold = null,
        string? title = null)
    {
        RequireSome(ood, nameof(ood));
        (string Name, IdScores Scores)[] sets = [id, .. ood];
        foreach ((string name, IdScores scores) in sets)
        {
            RequireScores(name, scores);
        }

        double cut = threshold ?? Metrics.ThresholdAtTpr(id.Scores, TargetTpr);
        string cutText = threshold is null ? $"{Numbers.Percent(TargetTpr)} of {id.Name} at or above" : "threshold";
        double[] edges = BinEdges(sets.SelectMany(set => set.Scores).Append(cut));
        double[][] densities = [.. sets.Select(set => Density(set.Scores, edges))];

        var traces = new List<Trace>();
        for (int i = 0; i < sets.Length; i++)
        {
            traces.Add(StepArea(i, Sized(sets[i].Name, sets[i].Scores.Count), edges, densities[i]));
        }

        double top = 1.05 * densities.Max(density => density.Max());
        traces.Add(Plot.Trace("scatter", new
        {
            name = Html.Escape($"{cutText}: {Numbers.Short(cut)}"),
            mode = "lines",
            x = Plot.Values([cut, cut]),
            y = Plot.Values([0, top]),
            line = new { color = Plot.GuideColor, width = 2, dash = "dash" },
            hoverinfo = "skip",
        }));
        GenericChart chart = Plot.Chart(traces, new
        {
            xaxis = Plot.XAxis(ScoreTitle(id.Scores), new { range = Plot.Values([edges[0], edges[^1]]), hoverformat = ".4g" }),
            yaxis = Plot.YAxis("Density", new { range = new[] { 0, top } }),
            hovermode = "x unified",
        });

        string[] accepted = [.. sets.Select(set => Numbers.Percent(FractionAtLeast(set.Scores, cut)))];
        double[] medians = [.. sets.Select(set => Statistics.Median(set.Scores))];
        string rates = string.Join(", ", sets.Skip(1).Select((set, i) => $"{accepted[i + 1]} of {set.Name}"));
        int infinite = sets.Sum(set => set.Scores.Count(score => !double.IsFinite(score)));
        string caption = $"At or above {Numbers.Short(cut)}, where images are taken as in-distribution, lie {accepted[0]} of {id.Name} and {rates}."
            + (infinite > 0 ? $" {Numbers.Count(infinite)} infinite scores lie outside the chart." : "");
        string alt = $"Densities of the {id.Scores.Name} score. "
            + string.Join(" ", sets.Select((set, i) => $"{set.Name}: {Numbers.Count(set.Scores.Count)} images, median {Numbers.Short(medians[i])}."))
            + " " + string.Join(" ", ood.Select(set => $"AUROC against {set.Name}: {Numbers.Percent(Metrics.Auroc(id.Scores, set.Scores))}."))
            + " " + caption;

        ResultTable table = new ResultTable("Densities")
            .Number("from", edges[..^1])
            .Number("to", edges[1..]);
        for (int i = 0; i < sets.Length; i++)
        {
            table = table.Number(Unique(table, sets[i].Name), densities[i]);
        }

        title ??= $"{id.Scores.Name}: {id.Name} against {string.Join(", ", ood.Select(set => set.Name))}";
        return new ChartView(chart, title, caption, alt, table);
    }

    /// <summary>Overlaid densities of any quantity in groups of images, over the same bins, such as the entropy of right and of wrong images.</summary>
    /// <param name="title">What is compared.</param>
    /// <param name="xTitle">Name of the quantity with its direction or unit, such as "Entropy (nats, higher = less certain)".</param>
    /// <param name="groups">Named values, at least one per group; infinite values are not drawn.</param>
    /// <exception cref="ArgumentException">There is no group, or a group is empty.</exception>
    public static ChartView Histogram(string title, string xTitle, IReadOnlyList<(string Name, IReadOnlyList<double> Values)> groups)
    {
        RequireSome(groups, nameof(groups));
        foreach ((_, IReadOnlyList<double> values) in groups)
        {
            RequireSome(values, nameof(groups));
        }

        double[] edges = BinEdges(groups.SelectMany(group => group.Values));
        double[][] densities = [.. groups.Select(group => Density(group.Values, edges))];
        GenericChart chart = Plot.Chart(groups.Select((group, i) => StepArea(i, Sized(group.Name, group.Values.Count), edges, densities[i])), new
        {
            xaxis = Plot.XAxis(xTitle, new { range = Plot.Values([edges[0], edges[^1]]), hoverformat = ".4g" }),
            yaxis = Plot.YAxis("Density"),
            showlegend = true,
            hovermode = "x unified",
        });
        string alt = $"Densities of {xTitle}. " + string.Join(" ", groups.Select(group =>
            $"{group.Name}: {Numbers.Count(group.Values.Count)} images, median {Numbers.Short(Statistics.Median(group.Values))}."));
        ResultTable table = new ResultTable("Densities").Number("from", edges[..^1]).Number("to", edges[1..]);
        for (int i = 0; i < groups.Count; i++)
        {
            table = table.Number(Unique(table, groups[i].Name), densities[i]);
        }

        return new ChartView(chart, title, "", alt, table);
    }

    private static Trace StepArea(int series, string name, double[] edges, double[] density) => Plot.Trace("scatter", new
    {
        name = Html.Escape(name),
        mode = "lines",
        // From the axis up to the first bin, along the bins, and back down to the axis.
        x = Plot.Values([edges[0], .. edges]),
        y = Plot.Values([0, .. density, 0]),
        line = new { color = Plot.Color(series), width = 1.8, dash = Plot.Dash(series), shape = "hv" },
        fill = "tozeroy",
        fillcolor = Plot.Faded(Plot.Color(series), 0.25),
        hovertemplate = "%{y:.4g}",
    });

    // Rice's rule on all images together, within what a screen resolves.
    private static double[] BinEdges(IEnumerable<double> scores)
    {
        double[] finite = [.. scores.Where(double.IsFinite)];
        (double low, double high) = finite.Length == 0 ? (0, 0) : (finite.Min(), finite.Max());
        if (!(high > low))
        {
            double margin = Math.Max(Math.Abs(low), 1) / 2;
            (low, high) = (low - margin, low + margin);
        }

        int bins = Math.Clamp((int)Math.Ceiling(2 * Math.Cbrt(finite.Length)), 20, 60);
        return [.. Enumerable.Range(0, bins + 1).Select(i => low + ((high - low) * i / bins))];
    }

    private static double[] Density(IReadOnlyList<double> scores, double[] edges)
    {
        int bins = edges.Length - 1;
        double width = (edges[^1] - edges[0]) / bins;
        double[] density = new double[bins];
        foreach (double score in scores)
        {
            if (double.IsFinite(score))
            {
                density[Math.Clamp((int)((score - edges[0]) / width), 0, bins - 1)] += 1 / (scores.Count * width);
            }
        }

        return density;
    }

    private static double FractionAtLeast(IdScores scores, double threshold) =>
        (double)scores.Count(score => score >= threshold) / scores.Count;

    private static string ScoreTitle(IdScores scores)
    {
        string name = scores.Name.Contains("score", StringComparison.OrdinalIgnoreCase) ? scores.Name : scores.Name + " score";
        return name + " (higher = more in-distribution)";
    }

    private static string Sized(string name, int count) => $"{name} (n = {Numbers.Count(count)})";

    // Two data sets or curves may be called the same; a table's headers may not.
    private static string Unique(ResultTable table, string name)
    {
        string unique = name;
        for (int i = 2; table.Has(unique); i++)
        {
            unique = $"{name} ({i})";
        }

        return unique;
    }

    private static void RequireSome<T>(IReadOnlyList<T> items, string parameter)
    {
        ArgumentNullException.ThrowIfNull(items, parameter);
        if (items.Count == 0)
        {
            throw new ArgumentException("Got nothing to draw, expected at least one.", parameter);
        }
    }

    private static void RequireScores(string name, IdScores scores)
    {
        ArgumentNullException.ThrowIfNull(scores);
        if (scores.Count == 0)
        {
            throw new ArgumentException($"Got no scores of {name}, expected at least one image.", nameof(scores));
        }
    }

    private static void RequireLength(int got, int expected, string what, string parameter)
    {
        if (got != expected)
        {
            throw new ArgumentException($"Got {got} {what}, expected {expected}.", parameter);
        }
    }
}
