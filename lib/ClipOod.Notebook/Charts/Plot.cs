using System.Reflection;
using Microsoft.FSharp.Collections;
using Plotly.NET;

namespace ClipOod.Notebook;

/// <summary>
/// The one look of all charts, and the few lines that make Plotly.NET's objects from C#. Attribute names are those of
/// plotly.js, so its reference documents them.
/// </summary>
internal static class Plot
{
    /// <summary>In-distribution, everywhere.</summary>
    public const string IdColor = "#2f7fc1";

    /// <summary>Out-of-distribution, everywhere; the first of several OOD data sets.</summary>
    public const string OodColor = "#d9702b";

    /// <summary>Lines that are no data: chance, calibration, thresholds. Readable on white and on black.</summary>
    public const string GuideColor = "#8a8a8a";

    private const string GridColor = "rgba(128,128,128,0.22)";

    // Told apart by the colour-blind, by lightness and hue, and at 3:1 or more on white and on near-black.
    private static readonly string[] _colors =
        [IdColor, OodColor, "#2a9d78", "#a561c2", "#a08420", "#d0508f", "#3aa0b5", "#8b6f5a", "#c9504f", "#6f7fd8"];

    // Colour never stands alone: lines differ in dash, points in symbol.
    private static readonly string[] _dashes = ["solid", "dash", "dot", "dashdot", "longdash", "longdashdot"];
    private static readonly string[] _symbols =
        ["circle", "diamond", "square", "triangle-up", "cross", "x", "star", "triangle-down", "bowtie", "hourglass"];

    /// <summary>The colour of the i-th series.</summary>
    public static string Color(int i) => _colors[i % _colors.Length];

    /// <summary>The line pattern of the i-th series.</summary>
    public static string Dash(int i) => _dashes[i % _dashes.Length];

    /// <summary>The marker of the i-th series.</summary>
    public static string Symbol(int i) => _symbols[i % _symbols.Length];

    /// <summary>A colour with an opacity, for the area under an outline.</summary>
    public static string Faded(string color, double opacity)
    {
        int rgb = Convert.ToInt32(color[1..], 16);
        return FormattableString.Invariant($"rgba({rgb >> 16},{(rgb >> 8) & 255},{rgb & 255},{opacity})");
    }

    /// <summary>A trace of plotly.js.</summary>
    /// <param name="type">Such as "scatter".</param>
    /// <param name="attributes">An anonymous object whose members are plotly.js attributes.</param>
    public static Trace Trace(string type, object attributes)
    {
        var trace = new Trace(type);
        foreach ((string name, object value) in Members(attributes))
        {
            trace.SetProperty(name, value);
        }

        return trace;
    }

    /// <summary>A horizontal axis: a title too long for a phone is broken before its direction.</summary>
    /// <param name="title">Name with direction.</param>
    /// <param name="attributes">Further plotly.js attributes as an anonymous object.</param>
    public static IDictionary<string, object> XAxis(string title, object? attributes = null) => Axis(Broken(title, 42), attributes);

    /// <summary>A vertical axis: a title too long for the chart's height is broken before its direction.</summary>
    /// <param name="title">Name with direction.</param>
    /// <param name="attributes">Further plotly.js attributes as an anonymous object.</param>
    public static IDictionary<string, object> YAxis(string title, object? attributes = null) => Axis(Broken(title, 32), attributes);

    /// <summary>A chart in the common look.</summary>
    /// <param name="traces">What is drawn.</param>
    /// <param name="attributes">plotly.js layout attributes as an anonymous object: axes, shapes, annotations.</param>
    /// <param name="height">In CSS pixels.</param>
    public static GenericChart Chart(IEnumerable<Trace> traces, object attributes, int height = 360)
    {
        var layout = new Layout();
        foreach ((string name, object value) in Members(new
        {
            height,
            autosize = true,
            margin = new { l = 8, r = 16, t = 4, b = 8, pad = 0 },
            paper_bgcolor = "rgba(0,0,0,0)",
            plot_bgcolor = "rgba(0,0,0,0)",
            // Readable on both backgrounds; the page's own text colour replaces it when the chart is drawn.
            font = new { color = "#808080", size = 12.5 },
            legend = new { orientation = "h", x = 0, xanchor = "left", y = 1.02, yanchor = "bottom", bgcolor = "rgba(0,0,0,0)", itemsizing = "constant" },
            modebar = new { bgcolor = "rgba(0,0,0,0)", color = GuideColor, activecolor = IdColor },
            hoverlabel = new { @namelength = -1 },
        }).Concat(Members(attributes)))
        {
            layout.SetProperty(name, value);
        }

        var config = new Config();
        config.SetProperty("responsive", true);
        config.SetProperty("displaylogo", false);
        config.SetProperty("modeBarButtonsToRemove", new[] { "select2d", "lasso2d", "autoScale2d" });
        return GenericChart.NewMultiChart(ListModule.OfSeq(traces), layout, config, new DisplayOptions());
    }

    /// <summary>Values as JSON can hold them: six significant digits, and null where a value is not finite.</summary>
    public static double?[] Values(IEnumerable<double> values) =>
        [.. values.Select(value => double.IsFinite(value) ? Round(value) : (double?)null)];

    /// <summary>An axis in the common look.</summary>
    /// <param name="title">Name with direction.</param>
    /// <param name="attributes">Further plotly.js attributes as an anonymous object.</param>
    private static Dictionary<string, object> Axis(string title, object? attributes = null)
    {
        var axis = new Dictionary<string, object>
        {
            ["automargin"] = true,
            ["gridcolor"] = GridColor,
            ["zeroline"] = false,
            ["linecolor"] = "rgba(128,128,128,0.6)",
            ["showline"] = true,
            ["ticks"] = "outside",
            ["ticklen"] = 4,
            ["tickcolor"] = "rgba(128,128,128,0.6)",
        };
        if (title.Length > 0)
        {
            axis["title"] = new { text = Html.Escape(title).Replace("\n", "<br>", StringComparison.Ordinal), standoff = 8 };
        }

        foreach ((string name, object value) in attributes is null ? [] : Members(attributes))
        {
            axis[name] = value;
        }

        return axis;
    }

    private static string Broken(string title, int longest)
    {
        int direction = title.IndexOf(" (", StringComparison.Ordinal);
        return title.Length > longest && direction > 0 ? string.Concat(title.AsSpan(0, direction), "\n", title.AsSpan(direction + 1)) : title;
    }

    private static double Round(double value)
    {
        if (value == 0)
        {
            return 0;
        }

        double scale = Math.Pow(10, 5 - Math.Floor(Math.Log10(Math.Abs(value))));
        return double.IsFinite(scale) ? Math.Round(value * scale) / scale : value;
    }

    private static IEnumerable<(string Name, object Value)> Members(object attributes) =>
        attributes.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Select(property => (property.Name, Value: property.GetValue(attributes)!))
            .Where(member => member.Value is not null);
}
