using Plotly.NET;

namespace ClipOod.Notebook;

public static partial class Charts
{
    // Beyond this many categories their names do not fit beside each other; they stand in the hover text and the table.
    private const int MaxNamedTicks = 30;
    private const int MaxMapPoints = 3000;

    /// <summary>Curves y over x, such as the sorted k-distances of DBSCAN with the chosen radius marked.</summary>
    /// <param name="title">What is seen.</param>
    /// <param name="xTitle">Name of the x axis, with its direction or unit.</param>
    /// <param name="yTitle">Name of the y axis, with its direction or unit.</param>
    /// <param name="series">Named curves; x and y of a curve are equally long.</param>
    /// <param name="mark">A point to mark and label.</param>
    /// <param name="logX">Whether x is drawn on a logarithmic axis.</param>
    /// <exception cref="ArgumentException">There is no curve, a curve is empty, or its x and y differ in length.</exception>
    public static ChartView Line(
        string title,
        string xTitle,
        string yTitle,
        IReadOnlyList<(string Name, IReadOnlyList<double> X, IReadOnlyList<double> Y)> series,
        (string Label, double X, double Y)? mark = null,
        bool logX = false)
    {
        RequireSome(series, nameof(series));
        var traces = new List<Trace>();
        var rows = new List<(string Name, double X, double Y)>();
        for (int i = 0; i < series.Count; i++)
        {
            (string name, IReadOnlyList<double> x, IReadOnlyList<double> y) = series[i];
            RequireSome(x, nameof(series));
            RequireLength(y.Count, x.Count, $"y values of {name}", nameof(series));
            int[] kept = Polyline.Thin(x.ToArray(), y.ToArray());
            bool few = kept.Length <= 30;
            traces.Add(Plot.Trace("scatter", new
            {
                name = Html.Escape(name),
                mode = few ? "lines+markers" : "lines",
                x = Plot.Values(kept.Select(k => x[k])),
                y = Plot.Values(kept.Select(k => y[k])),
                line = new { color = Plot.Color(i), width = 2, dash = Plot.Dash(i) },
                marker = new { symbol = Plot.Symbol(i), size = 6 },
                hovertemplate = "%{x:.4g}: %{y:.4g}",
            }));
            rows.AddRange(Sample(kept, 25).Select(k => (name, x[k], y[k])));
        }

        if (mark is { } point)
        {
            traces.Add(Mark(point.X, point.Y, $"{point.Label} ({Numbers.Short(point.X)}, {Numbers.Short(point.Y)})"));
        }

        GenericChart chart = Plot.Chart(traces, new
        {
            xaxis = Plot.XAxis(xTitle, new { type = logX ? "log" : "-" }),
            yaxis = Plot.YAxis(yTitle),
            showlegend = traces.Count > 1,
            hovermode = "closest",
        });
        string alt = $"{yTitle} over {xTitle}. "
            + string.Join(" ", series.Select(s => $"{s.Name}: from {Numbers.Short(s.Y[0])} at {Numbers.Short(s.X[0])} to {Numbers.Short(s.Y[^1])} at {Numbers.Short(s.X[^1])}."))
            + (mark is { } m ? $" Marked: {m.Label} at {Numbers.Short(m.X)}, {Numbers.Short(m.Y)}." : "");
        ResultTable table = new ResultTable("Points along the curves")
            .Text("curve", rows.Select(row => row.Name))
            .Number(xTitle, rows.Select(row => row.X))
            .Number(xTitle == yTitle ? yTitle + " (y)" : yTitle, rows.Select(row => row.Y));
        return new ChartView(chart, title, "", alt, table);
    }

    /// <summary>Measured points and the line that was fitted through them.</summary>
    /// <param name="title">What is seen.</param>
    /// <param name="xTitle">Name of the x axis, with its direction or unit.</param>
    /// <param name="yTitle">Name of the y axis, with its direction or unit.</param>
    /// <param name="x">At least one value.</param>
    /// <param name="y">As many values.</param>
    /// <param name="line">The line, drawn from the smallest to the largest x.</param>
    /// <exception cref="ArgumentException">There is no point, or x and y differ in length.</exception>
    public static ChartView Fit(string title, string xTitle, string yTitle, IReadOnlyList<double> x, IReadOnlyList<double> y, LinearFit line)
    {
        RequireSome(x, nameof(x));
        RequireLength(y.Count, x.Count, "y values", nameof(y));
        double[] ends = [x.Min(), x.Max()];
        Trace[] traces =
        [
            Plot.Trace("scatter", new
            {
                name = "measured",
                mode = "markers",
                x = Plot.Values(x),
                y = Plot.Values(y),
                marker = new { color = Plot.Color(0), symbol = Plot.Symbol(0), size = 8 },
                hovertemplate = "%{x:.4g}: %{y:.4g}",
            }),
            Plot.Trace("scatter", new
            {
                name = Html.Escape($"{line}"),
                mode = "lines",
                x = Plot.Values(ends),
                y = Plot.Values(ends.Select(line.At)),
                line = new { color = Plot.GuideColor, width = 2, dash = "dash" },
                hovertemplate = "%{x:.4g}: %{y:.4g}",
            }),
        ];
        GenericChart chart = Plot.Chart(traces, new { xaxis = Plot.XAxis(xTitle), yaxis = Plot.YAxis(yTitle), hovermode = "closest" });
        ResultTable table = new ResultTable("Points").Number(xTitle, x).Number(yTitle, y);
        return new ChartView(chart, title, "", $"{yTitle} over {xTitle}: {x.Count} points and the line {line}.", table);
    }

    /// <summary>The sorted k-distances of DBSCAN, with the radius at the knee marked.</summary>
    /// <param name="curve">From <see cref="Dbscan.KDistances"/>.</param>
    /// <param name="title">Null says which neighbour the distances are to.</param>
    public static ChartView KDistances(KDistanceCurve curve, string? title = null)
    {
        ArgumentNullException.ThrowIfNull(curve);
        double[] ranks = [.. Enumerable.Range(1, curve.Sorted.Count).Select(rank => (double)rank)];
        return Line(
            title ?? $"Distance to the neighbour {curve.K} of each point",
            "Points by distance (higher rank = sparser)",
            "Distance (higher = sparser)",
            [(Sized($"{curve.K}-distance", curve.Sorted.Count), ranks, curve.Sorted)],
            ("radius at the knee", curve.Knee + 1, curve.Eps));
    }

    /// <summary>Loss and accuracy over the epochs of a training, one above the other.</summary>
    /// <param name="loss">Named losses, one value per epoch, in nats; lower is better.</param>
    /// <param name="accuracy">Named accuracies, one value per epoch, 0–1; drawn below in the same colour as the loss of the same name.</param>
    /// <param name="title">What was trained.</param>
    /// <exception cref="ArgumentException">There is no loss, or a series is empty.</exception>
    public static ChartView TrainingCurves(
        IReadOnlyList<(string Name, IReadOnlyList<double> Values)> loss,
        IReadOnlyList<(string Name, IReadOnlyList<double> Values)>? accuracy = null,
        string title = "Training")
    {
        RequireSome(loss, nameof(loss));
        accuracy ??= [];
        bool two = accuracy.Count > 0;
        List<string> names = [.. loss.Concat(accuracy).Select(series => series.Name).Distinct(StringComparer.Ordinal)];
        var traces = new List<Trace>();
        var drawn = new HashSet<string>(StringComparer.Ordinal);
        foreach ((IReadOnlyList<(string, IReadOnlyList<double>)> panel, string axis) in new[] { (loss, "y"), (accuracy, "y2") })
        {
            foreach ((string name, IReadOnlyList<double> values) in panel)
            {
                RequireSome(values, axis == "y" ? nameof(loss) : nameof(accuracy));
                int i = names.IndexOf(name);
                traces.Add(Plot.Trace("scatter", new
                {
                    name = Html.Escape(name),
                    legendgroup = Html.Escape(name),
                    showlegend = drawn.Add(name),
                    mode = values.Count <= 30 ? "lines+markers" : "lines",
                    x = Enumerable.Range(1, values.Count),
                    y = Plot.Values(values),
                    yaxis = axis,
                    line = new { color = Plot.Color(i), width = 2, dash = Plot.Dash(i) },
                    marker = new { symbol = Plot.Symbol(i), size = 6 },
                    hovertemplate = axis == "y" ? "%{y:.4f}" : "%{y:.2%}",
                }));
            }
        }

        int epochs = loss.Concat(accuracy).Max(series => series.Values.Count);
        object layout = two
            ? new
            {
                xaxis = EpochAxis(epochs, "y2"),
                yaxis = Plot.YAxis("Loss\n(nats, lower = better)", new { domain = new[] { 0.55, 1 } }),
                yaxis2 = Plot.YAxis("Accuracy\n(higher = better)", new { domain = new[] { 0, 0.45 }, tickformat = ".0%" }),
                hovermode = "x unified",
            }
            : new
            {
                xaxis = EpochAxis(epochs, "y"),
                yaxis = Plot.YAxis("Loss (nats, lower = better)"),
                hovermode = "x unified",
            };
        string alt = string.Join(" ", loss.Select(s => $"Loss, {s.Name}: {Numbers.Short(s.Values[0])} after epoch 1, {Numbers.Short(s.Values[^1])} after epoch {s.Values.Count}.")
            .Concat(accuracy.Select(s => $"Accuracy, {s.Name}: {Numbers.Percent(s.Values[0])} after epoch 1, {Numbers.Percent(s.Values[^1])} after epoch {s.Values.Count}.")));
        ResultTable table = new ResultTable("Epochs").Count("epoch", Enumerable.Range(1, epochs));
        foreach ((string name, IReadOnlyList<double> values) in loss)
        {
            table = table.Number(Unique(table, $"loss, {name}"), Padded(values, epochs));
        }

        foreach ((string name, IReadOnlyList<double> values) in accuracy)
        {
            table = table.Percent(Unique(table, $"accuracy, {name}"), Padded(values, epochs));
        }

        return new ChartView(Plot.Chart(traces, layout, two ? 420 : 340), title, "", alt, table);
    }

    /// <summary>Values of categories side by side, in groups.</summary>
    /// <param name="title">What is compared.</param>
    /// <param name="yTitle">Name of the value with its direction, such as "FPR95 (lower = better)".</param>
    /// <param name="categories">Names along the axis.</param>
    /// <param name="groups">One value per category for each group; NaN is missing.</param>
    /// <param name="format">How the values are written.</param>
    /// <exception cref="ArgumentException">There is no category or group, or lengths differ.</exception>
    public static ChartView Bars(
        string title,
        string yTitle,
        IReadOnlyList<string> categories,
        IReadOnlyList<(string Name, IReadOnlyList<double> Values)> groups,
        ColumnFormat format = ColumnFormat.Percent)
    {
        ArgumentNullException.ThrowIfNull(groups);
        return Bars(title, yTitle, categories, [.. groups.Select(group => (group.Name, group.Values, (IReadOnlyList<Interval>?)null))], format);
    }

    /// <summary>Estimates of categories side by side, in groups, with whiskers that span their intervals.</summary>
    /// <param name="title">What is compared.</param>
    /// <param name="yTitle">Name of the value with its direction, such as "AUROC (higher = better)".</param>
    /// <param name="categories">Names along the axis.</param>
    /// <param name="groups">One estimate per category for each group, as from <see cref="Resamples"/> or <see cref="Inference.OfMean"/>.</param>
    /// <param name="format">How the values are written.</param>
    /// <exception cref="ArgumentException">There is no category or group, or lengths differ.</exception>
    public static ChartView Bars(
        string title,
        string yTitle,
        IReadOnlyList<string> categories,
        IReadOnlyList<(string Name, IReadOnlyList<Interval> Estimates)> groups,
        ColumnFormat format = ColumnFormat.Percent)
    {
        ArgumentNullException.ThrowIfNull(groups);
        return Bars(title, yTitle, categories, [.. groups.Select(group =>
            (group.Name, (IReadOnlyList<double>)[.. group.Estimates.Select(estimate => estimate.Estimate)], (IReadOnlyList<Interval>?)group.Estimates))], format)
            .WithCaption("Whiskers span the 95 % interval of each value.");
    }

    private static ChartView Bars(
        string title,
        string yTitle,
        IReadOnlyList<string> categories,
        IReadOnlyList<(string Name, IReadOnlyList<double> Values, IReadOnlyList<Interval>? Intervals)> groups,
        ColumnFormat format)
    {
        RequireSome(categories, nameof(categories));
        RequireSome(groups, nameof(groups));
        bool percent = format == ColumnFormat.Percent;
        bool few = categories.Count * groups.Count <= 12;
        var traces = new List<Trace>();
        ResultTable table = new ResultTable(yTitle).Text("", categories);
        for (int i = 0; i < groups.Count; i++)
        {
            (string name, IReadOnlyList<double> values, IReadOnlyList<Interval>? intervals) = groups[i];
            RequireLength(values.Count, categories.Count, $"values of {name}", nameof(groups));
            table = table.Numeric(Unique(table, name), values, format);
            if (intervals is not null)
            {
                table = table
                    .Numeric(Unique(table, name + ", low"), intervals.Select(interval => interval.Low), format)
                    .Numeric(Unique(table, name + ", high"), intervals.Select(interval => interval.High), format);
            }

            traces.Add(Plot.Trace("bar", new
            {
                name = Html.Escape(name),
                x = Enumerable.Range(0, categories.Count),
                y = Plot.Values(values),
                marker = new
                {
                    // Paler under whiskers, which would not be seen within a full colour.
                    color = intervals is null ? Plot.Color(i) : Plot.Faded(Plot.Color(i), 0.5),
                    line = new { color = Plot.Color(i), width = 1 },
                    pattern = new { shape = Pattern(i), fillmode = "overlay", solidity = 0.2, fgcolor = "rgba(255,255,255,0.7)" },
                },
                error_y = intervals is null ? null : new
                {
                    type = "data",
                    symmetric = false,
                    array = Plot.Values(intervals.Select(interval => interval.High - interval.Estimate)),
                    arrayminus = Plot.Values(intervals.Select(interval => interval.Estimate - interval.Low)),
                    thickness = 2,
                    width = 5,
                    color = Plot.GuideColor,
                },
                text = few && intervals is null ? values.Select(value => Numbers.Write(value, format, values.Max(Math.Abs))).ToArray() : null,
                textposition = "outside",
                cliponaxis = false,
                hovertemplate = "%{customdata}: " + (percent ? "%{y:.2%}" : "%{y:.4g}"),
                customdata = categories.Select(Html.Escape).ToArray(),
            }));
        }

        // Half of the bar's height is chance: without the line 91 % and 84 % look alike.
        bool hasChance = percent && yTitle.Contains("AUROC", StringComparison.Ordinal);
        GenericChart chart = Plot.Chart(traces, new
        {
            shapes = hasChance
                ? (object[])[new { type = "line", xref = "paper", x0 = 0, x1 = 1, y0 = 0.5, y1 = 0.5, line = new { color = Plot.GuideColor, dash = "dot", width = 2 } }]
                : [],
            annotations = hasChance
                ? (object[])[new { text = "chance", xref = "paper", x = 1, xanchor = "left", xshift = 4, y = 0.5, yanchor = "middle", showarrow = false, font = new { size = 11 } }]
                : [],
            margin = new { l = 8, r = hasChance ? 52 : 16, t = 4, b = 8, pad = 0 },
            xaxis = CategoryAxis("", categories),
            yaxis = Plot.YAxis(yTitle, percent ? new { tickformat = ".0%", rangemode = "tozero" } : new { rangemode = "tozero" }),
            barmode = "group",
            bargap = 0.25,
            uniformtext = new { minsize = 9, mode = "hide" },
            showlegend = groups.Count > 1,
        });
        string alt = yTitle + ". " + string.Join(" ", groups.Select(group =>
            $"{group.Name}: " + string.Join(", ", categories.Select((category, k) =>
                $"{category} {Numbers.Write(group.Values[k], format, group.Values.Max(Math.Abs))}")) + "."))
            + (hasChance ? " Chance is 50 %." : "");
        return new ChartView(chart, title, "", alt, table);
    }

    /// <summary>Fitted thresholds of all classes, with the common one for comparison.</summary>
    /// <param name="classes">K class names.</param>
    /// <param name="thresholds">Thresholds of the K classes.</param>
    /// <param name="reference">A value for all classes, such as the global or the initial threshold, drawn as a line.</param>
    /// <param name="counts">K numbers of images that each threshold was fitted on, for the hover text.</param>
    /// <param name="sorted">Whether classes are ordered by threshold; otherwise as given.</param>
    /// <param name="title">Null says how many classes there are.</param>
    /// <exception cref="ArgumentException">Lengths differ.</exception>
    public static ChartView ClassThresholds(
        IReadOnlyList<string> classes,
        ClassThresholds thresholds,
        (string Name, double Value)? reference = null,
        IReadOnlyList<int>? counts = null,
        bool sorted = true,
        string? title = null)
    {
        ArgumentNullException.ThrowIfNull(thresholds);
        string axisTitle = thresholds.Measure == Uncertainty.Entropy
            ? "Entropy threshold (nats, above = uncertain)"
            : "Confidence threshold (below = uncertain)";
        IReadOnlyList<bool>? fallback = thresholds.FallbackUsed.Contains(true) ? thresholds.FallbackUsed : null;
        return ClassThresholds(classes, thresholds.PerClass, axisTitle, reference, counts, fallback, sorted, title);
    }

    /// <summary>The thresholds of all classes, with the common one for comparison.</summary>
    /// <param name="classes">K class names.</param>
    /// <param name="thresholds">K thresholds.</param>
    /// <param name="axisTitle">Name of the thresholds with direction, such as "Entropy threshold (nats, above = uncertain)".</param>
    /// <param name="reference">A value for all classes, such as the global or the initial threshold, drawn as a line.</param>
    /// <param name="counts">K numbers of images that each threshold was fitted on, for the hover text.</param>
    /// <param name="fallback">K marks of classes that had too few images and took the global threshold; drawn hollow.</param>
    /// <param name="sorted">Whether classes are ordered by threshold; otherwise as given.</param>
    /// <param name="title">Null says how many classes there are.</param>
    /// <exception cref="ArgumentException">There is no class, or lengths differ.</exception>
    public static ChartView ClassThresholds(
        IReadOnlyList<string> classes,
        IReadOnlyList<double> thresholds,
        string axisTitle,
        (string Name, double Value)? reference = null,
        IReadOnlyList<int>? counts = null,
        IReadOnlyList<bool>? fallback = null,
        bool sorted = true,
        string? title = null)
    {
        RequireSome(classes, nameof(classes));
        RequireLength(thresholds.Count, classes.Count, "thresholds", nameof(thresholds));
        RequireLength(counts?.Count ?? classes.Count, classes.Count, "counts", nameof(counts));
        RequireLength(fallback?.Count ?? classes.Count, classes.Count, "fallback marks", nameof(fallback));
        int[] order = [.. Enumerable.Range(0, classes.Count)];
        order = sorted ? [.. order.OrderBy(k => thresholds[k]).ThenBy(k => k)] : order;
        bool named = classes.Count <= MaxNamedTicks;

        var traces = new List<Trace>();
        foreach (bool hollow in new[] { false, true })
        {
            int[] at = [.. Enumerable.Range(0, order.Length).Where(i => (fallback?[order[i]] ?? false) == hollow)];
            if (at.Length > 0)
            {
                traces.Add(Plot.Trace("scatter", new
                {
                    name = $"{(hollow ? "too few images: fallback" : "fitted to the class")} ({at.Length} of {classes.Count} classes)",
                    mode = "markers",
                    x = at,
                    y = Plot.Values(at.Select(i => thresholds[order[i]])),
                    marker = new { color = Plot.Color(hollow ? 3 : 0), symbol = hollow ? "diamond-open" : "circle", size = Math.Clamp(600 / classes.Count, 5, 10) },
                    customdata = at.Select(i => Html.Escape(classes[order[i]]) + (counts is null ? "" : $" (n = {Numbers.Count(counts[order[i]])})")).ToArray(),
                    hovertemplate = "%{customdata}: %{y:.4g}<extra></extra>",
                }));
            }
        }

        if (reference is { } line)
        {
            traces.Add(Plot.Trace("scatter", new
            {
                name = $"{Html.Escape(line.Name)} ({Numbers.Short(line.Value)})",
                mode = "lines",
                x = new[] { -0.5, classes.Count - 0.5 },
                y = new[] { line.Value, line.Value },
                line = new { color = Plot.GuideColor, width = 1.5, dash = "dash" },
                hoverinfo = "skip",
            }));
        }

        string by = sorted ? "sorted by threshold" : "in class order";
        IDictionary<string, object> xaxis = named
            ? CategoryAxis("", [.. order.Select(k => classes[k])])
            : Plot.XAxis($"Classes, {by} (names on hover)", new { range = new[] { -0.5 - (0.01 * classes.Count), classes.Count - 0.5 + (0.01 * classes.Count) }, showgrid = false });
        GenericChart chart = Plot.Chart(traces, new
        {
            xaxis,
            yaxis = Plot.YAxis(axisTitle),
            annotations = named || !sorted ? null : EndLabels(classes, thresholds, order),
            showlegend = traces.Count > 1,
            hovermode = "closest",
        }, 380);

        int low = order.MinBy(k => thresholds[k]), high = order.MaxBy(k => thresholds[k]);
        string alt = $"Thresholds of {classes.Count} classes, {by}: lowest {Numbers.Short(thresholds[low])} ({classes[low]}), "
            + $"median {Numbers.Short(Statistics.Median(thresholds))}, highest {Numbers.Short(thresholds[high])} ({classes[high]})."
            + (reference is { } r ? $" {r.Name}: {Numbers.Short(r.Value)}." : "")
            + (fallback is null ? "" : $" {fallback.Count(used => used)} classes had too few images and use the fallback.");
        ResultTable table = new ResultTable("Thresholds")
            .Text("class", order.Select(k => classes[k]))
            .Number("threshold", order.Select(k => thresholds[k]));
        table = counts is null ? table : table.Count("images", order.Select(k => counts[k]));
        table = fallback is null ? table : table.Text("fitted", order.Select(k => fallback[k] ? "fallback" : "yes"));
        return new ChartView(chart, title ?? $"Thresholds of the {classes.Count} classes", "", alt, table);
    }

    /// <summary>A matrix of values as a coloured grid with the numbers in its cells, such as AUROC of each ID × OOD pair.</summary>
    /// <param name="title">What is compared.</param>
    /// <param name="rows">Names of the rows, from top to bottom.</param>
    /// <param name="columns">Names of the columns.</param>
    /// <param name="values">One value per cell; NaN leaves a cell empty.</param>
    /// <param name="valueName">Name of the value with its direction, such as "AUROC (higher = better)".</param>
    /// <param name="rowTitle">What the rows are.</param>
    /// <param name="columnTitle">What the columns are.</param>
    /// <param name="format">How the values are written.</param>
    /// <exception cref="ArgumentException">The matrix has not as many rows and columns as there are names.</exception>
    public static ChartView HeatMap(
        string title,
        IReadOnlyList<string> rows,
        IReadOnlyList<string> columns,
        Matrix values,
        string valueName,
        string rowTitle = "ID data set",
        string columnTitle = "OOD data set",
        ColumnFormat format = ColumnFormat.Percent)
    {
        ArgumentNullException.ThrowIfNull(values);
        RequireSome(rows, nameof(rows));
        RequireSome(columns, nameof(columns));
        RequireLength(rows.Count, values.Rows, "row names", nameof(rows));
        RequireLength(columns.Count, values.Columns, "column names", nameof(columns));
        double[] finite = [.. values.Values.ToArray().Where(double.IsFinite)];
        double largest = finite.Select(Math.Abs).DefaultIfEmpty(0).Max();
        string Cell(double value) => Numbers.Write(value, format, largest);
        double[][] lines = [.. Enumerable.Range(0, rows.Count).Select(i => values[i].ToArray())];

        Trace trace = Plot.Trace("heatmap", new
        {
            x = Enumerable.Range(0, columns.Count),
            y = Enumerable.Range(0, rows.Count),
            z = lines.Select(Plot.Values).ToArray(),
            text = lines.Select(line => line.Select(value => double.IsNaN(value) ? "" : Cell(value)).ToArray()).ToArray(),
            texttemplate = "%{text}",
            customdata = rows.Select(row => columns.Select(column => $"{Html.Escape(row)} × {Html.Escape(column)}").ToArray()).ToArray(),
            hovertemplate = "%{customdata}: %{z:.4g}<extra></extra>",
            hoverongaps = false,
            // One hue from light to dark: orders values for every reader and prints in grey.
            // Light enough throughout for dark numbers.
            colorscale = new object[] { new object[] { 0, "#eef4fa" }, new object[] { 1, "#5f9fd4" } },
            showscale = false,
            textfont = new { color = "#14202b" },
            xgap = 2,
            ygap = 2,
        });
        GenericChart chart = Plot.Chart([trace], new
        {
            xaxis = Without(CategoryAxis(columnTitle, columns)),
            yaxis = Without(Names(Plot.YAxis(rowTitle, new { autorange = "reversed" }), rows)),
        }, Math.Clamp(120 + (44 * rows.Count), 260, 640));

        (int i, int j)[] cells = [.. Enumerable.Range(0, rows.Count).SelectMany(i => Enumerable.Range(0, columns.Count).Select(j => (i, j)))
            .Where(cell => double.IsFinite(values[cell.i, cell.j]))];
        string alt = $"{valueName} for {rows.Count} × {columns.Count} cells.";
        if (cells.Length > 0)
        {
            (int i, int j) low = cells.MinBy(cell => values[cell.i, cell.j]), high = cells.MaxBy(cell => values[cell.i, cell.j]);
            alt += $" Lowest {Cell(values[low.i, low.j])} ({rows[low.i]} × {columns[low.j]}), highest {Cell(values[high.i, high.j])} ({rows[high.i]} × {columns[high.j]}).";
        }

        ResultTable table = new ResultTable(valueName).Text(rowTitle, rows);
        for (int j = 0; j < columns.Count; j++)
        {
            table = table.Numeric(Unique(table, columns[j]), lines.Select(line => line[j]), format);
        }

        return new ChartView(chart, title, $"{valueName}; a darker cell is a higher value.", alt, table) { MaxWidth = 12 + (7 * columns.Count) };
    }

    /// <summary>Points of a 2-D projection of features, coloured and shaped by group.</summary>
    /// <param name="title">What is seen.</param>
    /// <param name="points">Shape (N, 2), such as the first two components of <see cref="Pca"/>.</param>
    /// <param name="groups">N group names; a group called "noise" is drawn in grey.</param>
    /// <param name="hover">N texts for the hover, such as class names.</param>
    /// <param name="xTitle">Name of the first direction, such as "PC 1 (12.3 % of the variance)".</param>
    /// <param name="yTitle">Name of the second direction.</param>
    /// <exception cref="ArgumentException">The points have not two columns, or lengths differ.</exception>
    public static ChartView FeatureMap(
        string title,
        Embeddings points,
        IReadOnlyList<string> groups,
        IReadOnlyList<string>? hover = null,
        string xTitle = "PC 1",
        string yTitle = "PC 2")
    {
        ArgumentNullException.ThrowIfNull(points);
        RequireSome(groups, nameof(groups));
        RequireLength(points.Width, 2, "columns of points", nameof(points));
        RequireLength(groups.Count, points.Rows, "group names", nameof(groups));
        RequireLength(hover?.Count ?? groups.Count, groups.Count, "hover texts", nameof(hover));
        int every = (points.Rows + MaxMapPoints - 1) / MaxMapPoints;
        var members = Enumerable.Range(0, points.Rows).GroupBy(i => groups[i], StringComparer.Ordinal)
            .Select(group => (Name: group.Key, All: group.ToArray())).ToArray();

        var traces = new List<Trace>();
        int rank = 0, color = 0;
        foreach ((string name, int[] all) in members)
        {
            bool noise = string.Equals(name, "noise", StringComparison.OrdinalIgnoreCase);
            int[] drawn = [.. all.Where((_, k) => k % every == 0)];
            traces.Add(Plot.Trace("scatter", new
            {
                name = Html.Escape(Sized(name, all.Length)),
                legendrank = ++rank,
                mode = "markers",
                x = Plot.Values(drawn.Select(i => (double)points[i][0])),
                y = Plot.Values(drawn.Select(i => (double)points[i][1])),
                marker = new
                {
                    color = noise ? Plot.GuideColor : Plot.Color(color),
                    symbol = noise ? "x-thin-open" : Plot.Symbol(color),
                    size = points.Rows > 600 ? 5 : 7,
                    opacity = drawn.Length > 600 ? 0.45 : 0.8,
                },
                customdata = hover is null ? null : drawn.Select(i => Html.Escape(hover[i])).ToArray(),
                hovertemplate = (hover is null ? "" : "%{customdata} ") + "(%{x:.4g}, %{y:.4g})",
            }));
            color += noise ? 0 : 1;
        }

        // Small groups come last, above the large ones that would hide them; the legend keeps the order given.
        GenericChart chart = Plot.Chart(traces.Zip(members).OrderByDescending(pair => pair.Second.All.Length).Select(pair => pair.First), new
        {
            // Equal scales, so that distances on the screen are distances in the projection.
            xaxis = Plot.XAxis(xTitle, new { constrain = "domain", constraintoward = "left" }),
            yaxis = Plot.YAxis(yTitle, new { scaleanchor = "x", constrain = "domain" }),
            showlegend = true,
            hovermode = "closest",
        }, 420 + (10 * members.Length));
        string Spread(int[] all, int axis) => Numbers.Short(all.Average(i => points[i][axis]));
        string alt = $"Map of {Numbers.Count(points.Rows)} points. "
            + string.Join(" ", members.Select(group => $"{group.Name}: {Numbers.Count(group.All.Length)} points around ({Spread(group.All, 0)}, {Spread(group.All, 1)})."));
        ResultTable table = new ResultTable("Groups")
            .Text("group", members.Select(group => group.Name))
            .Count("points", members.Select(group => group.All.Length))
            .Number($"mean {xTitle}", members.Select(group => (double)group.All.Average(i => points[i][0])))
            .Number($"mean {yTitle}", members.Select(group => (double)group.All.Average(i => points[i][1])));
        string caption = every == 1 ? "" : $"One point in {every} of each group is drawn.";
        return new ChartView(chart, title, caption, alt, table) { MaxWidth = 40 };
    }

    private static IDictionary<string, object> EpochAxis(int epochs, string anchor) => Plot.XAxis(
        "Epoch", new { anchor, tickformat = "d", dtick = epochs <= 12 ? 1 : (object?)null });

    private static IDictionary<string, object> CategoryAxis(string title, IReadOnlyList<string> names) =>
        names.Count <= MaxNamedTicks ? Names(Plot.XAxis(title, new { showgrid = false }), names) : Plot.XAxis(title, new { showgrid = false });

    // Positions with names instead of plotly's category axis, which merges equal names.
    private static IDictionary<string, object> Names(IDictionary<string, object> axis, IReadOnlyList<string> names)
    {
        axis["tickmode"] = "array";
        axis["autotickangles"] = new[] { 0, -40, -90 };
        axis["tickvals"] = Enumerable.Range(0, names.Count);
        axis["ticktext"] = names.Select(name => Html.Escape(Shortened(name))).ToArray();
        return axis;
    }

    private static IDictionary<string, object> Without(IDictionary<string, object> axis)
    {
        axis["showgrid"] = false;
        axis["showline"] = false;
        axis["tickcolor"] = "rgba(0,0,0,0)";
        return axis;
    }

    private static string Shortened(string name) => name.Length <= 24 ? name : string.Concat(name.AsSpan(0, 23), "…");

    private static object[] EndLabels(IReadOnlyList<string> classes, IReadOnlyList<double> thresholds, int[] order)
    {
        int last = order.Length - 1;
        return
        [
            EndLabel(0, thresholds[order[0]], classes[order[0]], "left", "bottom"),
            EndLabel(last, thresholds[order[last]], classes[order[last]], "right", "top"),
        ];
    }

    private static object EndLabel(int x, double y, string text, string xanchor, string side) => new
    {
        x,
        y,
        text = Html.Escape(Shortened(text)),
        showarrow = false,
        xanchor,
        yanchor = side == "bottom" ? "top" : "bottom",
        yshift = side == "bottom" ? -6 : 6,
    };

    private static Trace Mark(double x, double y, string name) => Plot.Trace("scatter", new
    {
        name = Html.Escape(name),
        mode = "markers",
        x = Plot.Values([x]),
        y = Plot.Values([y]),
        marker = new { symbol = "circle-open", size = 13, color = Plot.Color(3), line = new { width = 2.5 } },
        hovertemplate = Html.Escape(name) + "<extra></extra>",
    });

    private static string Pattern(int i) => new[] { "", "/", "\\", "x", "-", "|", "+", "." }[i % 8];

    private static IEnumerable<double> Padded(IReadOnlyList<double> values, int count) =>
        values.Concat(Enumerable.Repeat(double.NaN, count - values.Count));

    private static IEnumerable<int> Sample(int[] positions, int count) => positions.Length <= count
        ? positions
        : Enumerable.Range(0, count).Select(i => positions[i * (positions.Length - 1) / (count - 1)]);
}
