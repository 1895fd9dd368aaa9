using System.Globalization;
using System.Text;
using ClipOod.Autodiff;
using Plotly.NET;

namespace ClipOod.Notebook;

/// <summary>
/// A chart as a notebook shows it: an interactive figure with its title, caption and alternative text, and the plotted
/// numbers as a table for whoever does not see the figure. <see cref="Charts"/> makes them; any Plotly.NET chart can be
/// wrapped in one.
/// </summary>
[TypeFormatterSource(typeof(HtmlFormatterSource))]
public sealed class ChartView
{
    /// <summary>Wraps a Plotly.NET chart.</summary>
    /// <param name="chart">The chart.</param>
    /// <param name="title">Shown above the chart; the chart itself needs no title.</param>
    /// <param name="caption">Shown under the chart: how to read it, what was reduced. May be empty.</param>
    /// <param name="altText">What the chart shows, in words and numbers.</param>
    /// <param name="table">The plotted numbers.</param>
    public ChartView(GenericChart chart, string title, string caption, string altText, ResultTable table)
    {
        ArgumentNullException.ThrowIfNull(chart);
        ArgumentException.ThrowIfNullOrWhiteSpace(title);
        ArgumentNullException.ThrowIfNull(caption);
        ArgumentException.ThrowIfNullOrWhiteSpace(altText);
        ArgumentNullException.ThrowIfNull(table);
        Chart = chart;
        Title = title;
        Caption = caption;
        AltText = altText;
        Table = table;
    }

    /// <summary>The Plotly.NET chart, to restyle or combine.</summary>
    public GenericChart Chart { get; }

    /// <summary>Shown above the chart.</summary>
    public string Title { get; }

    /// <summary>Shown under the chart; may be empty.</summary>
    public string Caption { get; }

    /// <summary>What the chart shows, in words and numbers, for readers who do not see it.</summary>
    internal string AltText { get; }

    /// <summary>The plotted numbers; of a long curve, points along it.</summary>
    public ResultTable Table { get; }

    /// <summary>Width in rem that the chart does not exceed; null takes the page's width.</summary>
    internal int? MaxWidth { get; init; }

    /// <summary>The same chart with another title.</summary>
    /// <param name="title">Shown above the chart.</param>
    internal ChartView WithTitle(string title) => new(Chart, title, Caption, AltText, Table) { MaxWidth = MaxWidth };

    /// <summary>The same chart with another caption.</summary>
    /// <param name="caption">Shown under the chart.</param>
    public ChartView WithCaption(string caption) => new(Chart, Title, caption, AltText, Table) { MaxWidth = MaxWidth };

    /// <summary>
    /// A script element that gives its page plotly.js, unless the page has it: for hosts that hand outputs on to pages
    /// which are not theirs. 1.5 MB, from Plotly.NET, no network.
    /// </summary>
    public static string PlotlyLoader => PlotlyFigure.Loader;

    /// <summary>
    /// The chart as an HTML fragment. Where the host does not say that its pages hold plotly.js, the chart brings it
    /// (<see cref="PlotlyLoader"/>), so that it is drawn on whatever page its output ends up.
    /// </summary>
    public string ToHtml()
    {
        string maxWidth = MaxWidth is int rem ? FormattableString.Invariant($" style=\"max-width:{rem}rem\"") : "";
        var html = new StringBuilder();
        html.Append(CultureInfo.InvariantCulture, $"""
            <figure class="clipood chart" aria-label="{Html.Escape(Title)}"{maxWidth}>
            <p class="title">{Html.Escape(Title)}</p>
            {PlotlyFigure.ToHtml(Chart, AltText)}
            """);
        if (Caption.Length > 0)
        {
            html.Append(CultureInfo.InvariantCulture, $"<figcaption class=\"note\">{Html.Escape(Caption)}</figcaption>\n");
        }

        html.Append("<details><summary>Numbers</summary>");
        Table.AppendGrid(html);
        return Html.Output(html.Append("</details>\n</figure>\n").ToString());
    }

    /// <summary>Title, caption and the plotted numbers as text.</summary>
    public override string ToString() => Caption.Length > 0 ? $"{Title}\n{Caption}\n{Table}" : $"{Title}\n{Table}";
}
