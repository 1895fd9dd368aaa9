using System.Globalization;
using System.Security.Cryptography;
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
    private const string PlotlyResource = "Plotly.NET.plotly-2.28.0.min.js";
    private static int _plotlyCarried;

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
    public string AltText { get; }

    /// <summary>The plotted numbers; of a long curve, points along it.</summary>
    public ResultTable Table { get; }

    /// <summary>Width in rem that the chart does not exceed; null takes the page's width.</summary>
    internal int? MaxWidth { get; init; }

    /// <summary>The same chart with another title.</summary>
    /// <param name="title">Shown above the chart.</param>
    public ChartView WithTitle(string title) => new(Chart, title, Caption, AltText, Table) { MaxWidth = MaxWidth };

    /// <summary>The same chart with another caption.</summary>
    /// <param name="caption">Shown under the chart.</param>
    public ChartView WithCaption(string caption) => new(Chart, Title, caption, AltText, Table) { MaxWidth = MaxWidth };

    /// <summary>
    /// The chart as an HTML fragment. Where the page does not hold plotly.js already, the first chart of the process
    /// carries it (3.6 MB from Plotly.NET, no network).
    /// </summary>
    public string ToHtml()
    {
        // In JSON a "<" stands only within strings: escaped, nothing in the data can end the script element.
        string figure = GenericChart.toJson(Chart).Replace("<", "\\u003c", StringComparison.Ordinal);
        string key = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(figure)))[..12];
        string maxWidth = MaxWidth is int rem ? FormattableString.Invariant($" style=\"max-width:{rem}rem\"") : "";

        var html = new StringBuilder(CarryPlotly());
        html.Append(CultureInfo.InvariantCulture, $"""
            <figure class="clipood chart" aria-label="{Html.Escape(Title)}"{maxWidth}>
            <p class="title">{Html.Escape(Title)}</p>
            <div data-clipood-chart="{key}" role="img" aria-label="{Html.Escape(AltText)}"></div>
            <script>{Script.Replace("KEY", key, StringComparison.Ordinal).Replace("FIGURE", figure, StringComparison.Ordinal)}</script>

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

    // Draws into every copy of this output that is not drawn yet, once plotly.js is there: a page may load it late. The
    // text colour and font are the page's (light text means a dark page), followed when the reader switches between light and dark; the size follows
    // the element's, which a collapsed section or a turned phone changes without the window's.
    private const string Script = """
        (function draw(tries) {
          const charts = [...document.querySelectorAll('[data-clipood-chart="KEY"]')].filter(e => !e.dataset.drawn);
          if (!window.Plotly) {
            if (tries < 100) { setTimeout(draw, 100, tries + 1); }
            else { charts.forEach(e => e.textContent = 'plotly.js is missing: the first chart of the notebook carries it, so run the notebook from the top. The numbers are in the table below.'); }
            return;
          }
          charts.forEach(e => {
            e.dataset.drawn = '1';
            const figure = FIGURE;
            const style = () => {
              const { color, fontFamily } = getComputedStyle(e);
              const [r, g, b] = color.match(/\d+/g);
              const dark = 3 * r + 6 * g + b > 1280;
              return { 'font.color': color, 'font.family': fontFamily, 'hoverlabel.bgcolor': dark ? '#26292e' : '#ffffff', 'hoverlabel.font.color': color };
            };
            if (!matchMedia('(hover: hover)').matches) { figure.config.displayModeBar = false; }
            Plotly.newPlot(e, figure.data, figure.layout, figure.config).then(() => {
              let painted = '';
              const repaint = () => {
                const now = style();
                if (e.isConnected && painted !== now['font.color']) { painted = now['font.color']; Plotly.relayout(e, now); }
              };
              repaint();
              new MutationObserver(repaint).observe(document.documentElement, { attributes: true });
              new MutationObserver(repaint).observe(document.body, { attributes: true });
              matchMedia('(prefers-color-scheme: dark)').addEventListener('change', repaint);
              new ResizeObserver(() => { if (e.offsetWidth > 0) { Plotly.Plots.resize(e); } }).observe(e);
            });
          });
        })(0);
        """;

    // A host that has plotly.js on its page says so; elsewhere (.NET Interactive) the first chart brings it for all. The
    // parameters hide a page's module loader (RequireJS in notebooks), which plotly.js would register with instead of
    // becoming window.Plotly.
    private static string CarryPlotly()
    {
        if (AppDomain.CurrentDomain.GetData("workbook.plotly") is "page" || Interlocked.Exchange(ref _plotlyCarried, 1) == 1)
        {
            return "";
        }

        return $"<script>if (!window.Plotly) {{ (function (define, require, module, exports) {{\n{PlotlyJs()}\n}}).call(window); }}</script>\n";
    }

    /// <summary>plotly.js as Plotly.NET embeds it.</summary>
    internal static string PlotlyJs()
    {
        using Stream stream = typeof(GenericChart).Assembly.GetManifestResourceStream(PlotlyResource)
            ?? throw new InvalidOperationException($"This Plotly.NET has no resource {PlotlyResource}; the library is made for 6.0.0.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    /// <summary>Lets a test see what the first chart of a process looks like.</summary>
    internal static void ForgetPlotly() => _plotlyCarried = 0;
}
