using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Plotly.NET;

namespace ClipOod.Notebook;

/// <summary>The element and the script that draw a Plotly.NET chart, with plotly.js where the page lacks it.</summary>
internal static class PlotlyFigure
{
    private const string PlotlyResource = "Plotly.NET.plotly-2.28.0.min.js";

    private static readonly Lazy<string> _loader = new(MakeLoader);

    /// <summary>
    /// A script element that gives its page plotly.js, unless the page has it. Every chart brings it where the host does
    /// not say that its pages have it, since none can know which other outputs its page shows: cells are cleared, run
    /// alone, saved and opened again, and outputs out of sight are not in the page at all. Compressed it is 1.5 MB.
    /// </summary>
    public static string Loader => _loader.Value;

    /// <summary>Draws a chart.</summary>
    /// <param name="chart">The chart.</param>
    /// <param name="altText">What it shows, in words.</param>
    public static string ToHtml(GenericChart chart, string altText)
    {
        // In JSON a "<" stands only within strings: escaped, nothing in the data can end the script element.
        string figure = GenericChart.toJson(chart).Replace("<", "\\u003c", StringComparison.Ordinal);
        string key = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(figure)))[..12];
        string loader = AppDomain.CurrentDomain.GetData("workbook.plotly") is "page" ? "" : Loader;
        return string.Create(CultureInfo.InvariantCulture, $"""
            {loader}<div data-clipood-chart="{key}" role="img" aria-label="{Html.Escape(altText)}">This chart is drawn by a script, which has not run here.</div>
            <script>{Script.Replace("KEY", key, StringComparison.Ordinal).Replace("FIGURE", figure, StringComparison.Ordinal)}</script>

            """);
    }

    /// <summary>What a chart that nobody described holds: its title, and the kinds and names of its traces.</summary>
    /// <param name="chart">The chart.</param>
    public static string Describe(GenericChart chart)
    {
        JsonNode figure = JsonNode.Parse(GenericChart.toJson(chart))!;
        string[] traces = [.. (figure["data"] as JsonArray ?? []).Select(trace => Join(" ", trace?["type"], trace?["name"]))];
        string title = Join("", figure["layout"]?["title"]?["text"]);
        return string.Create(CultureInfo.InvariantCulture,
            $"{(title.Length > 0 ? title : "Chart")}: {traces.Length} {(traces.Length == 1 ? "trace" : "traces")}{(traces.Length > 0 ? $", {string.Join(", ", traces)}" : "")}");

        // Names and titles of plotly.js are HTML.
        static string Join(string separator, params JsonNode?[] texts) =>
            string.Join(separator, texts.OfType<JsonValue>().Select(text => WebUtility.HtmlDecode(text.ToString())).Where(text => text.Length > 0));
    }

    /// <summary>plotly.js as Plotly.NET embeds it.</summary>
    internal static string PlotlyJs()
    {
        using Stream stream = typeof(GenericChart).Assembly.GetManifestResourceStream(PlotlyResource)
            ?? throw new InvalidOperationException($"This Plotly.NET has no resource {PlotlyResource}; the library is made for 6.0.0.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    // The first copy of a page unpacks itself and the others wait for it. The parameters hide a page's module loader
    // (RequireJS in notebooks), which plotly.js would register with instead of becoming window.Plotly.
    private static string MakeLoader()
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            gzip.Write(Encoding.UTF8.GetBytes(PlotlyJs()));
        }

        return $$"""
            <script>
            window.clipoodPlotly ??= window.Plotly ? Promise.resolve() : (async () => {
              const packed = Uint8Array.from(atob('{{Convert.ToBase64String(packed.ToArray())}}'), c => c.charCodeAt(0));
              const source = await new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'))).text();
              const script = document.createElement('script');
              script.textContent = '(function (define, require, module, exports) {' + source + '\n}).call(window);';
              document.head.append(script);
            })();
            </script>

            """;
    }

    // Draws into every copy of this output that is not drawn yet. On a transparent chart the text colour and font are the
    // page's (light text means a dark page), followed when the reader switches between light and dark; the size follows
    // the element's, which a collapsed section or a turned phone changes without the window's.
    private const string Script = """
        (async () => {
          const charts = [...document.querySelectorAll('[data-clipood-chart="KEY"]')].filter(e => !e.dataset.drawn);
          charts.forEach(e => { e.dataset.drawn = '1'; });
          try {
            await window.clipoodPlotly;
            if (!window.Plotly) { throw new Error('plotly.js is missing'); }
          } catch (error) {
            charts.forEach(e => { e.textContent = 'The chart cannot be drawn here (' + error.message + '). A current browser can.'; });
            return;
          }
          charts.forEach(e => {
            const figure = FIGURE;
            const transparent = figure.layout.paper_bgcolor === 'rgba(0,0,0,0)';
            const style = () => {
              const { color, fontFamily } = getComputedStyle(e);
              const [r, g, b] = color.match(/\d+/g);
              const dark = 3 * r + 6 * g + b > 1280;
              return { 'font.color': color, 'font.family': fontFamily, 'hoverlabel.bgcolor': dark ? '#26292e' : '#ffffff', 'hoverlabel.font.color': color };
            };
            if (!matchMedia('(hover: hover)').matches) { figure.config.displayModeBar = false; }
            e.textContent = '';
            Plotly.newPlot(e, figure.data, figure.layout, figure.config).then(() => {
              let painted = '';
              const repaint = () => {
                const now = style();
                if (e.isConnected && transparent && painted !== now['font.color']) { painted = now['font.color']; Plotly.relayout(e, now); }
              };
              repaint();
              new MutationObserver(repaint).observe(document.documentElement, { attributes: true });
              new MutationObserver(repaint).observe(document.body, { attributes: true });
              matchMedia('(prefers-color-scheme: dark)').addEventListener('change', repaint);
              new ResizeObserver(() => { if (e.offsetWidth > 0) { Plotly.Plots.resize(e); } }).observe(e);
            });
          });
        })();
        """;
}
