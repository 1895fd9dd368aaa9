using System.IO.Compression;
using System.Text.RegularExpressions;
using AngleSharp.Html.Dom;
using AngleSharp.Html.Parser;

namespace ClipOod.Notebook.Tests.Display;

/// <summary>Tests of what the process shares: with the other tests that render charts they run one after the other.</summary>
[Collection("process")]
public sealed partial class ChartViewTests : IDisposable
{
    private const string Key = "workbook.plotly";

    public void Dispose() => AppDomain.CurrentDomain.SetData(Key, null);

    // A kernel that lives on cannot know what its pages show: see PlotlyFigure.Loader.
    [Fact]
    public void ToHtml_WithoutAHost_CarriesPlotlyInEveryChart()
    {
        Assert.All([Chart("a"), Chart("b"), Chart("a")], chart => Assert.Contains(ChartView.PlotlyLoader, chart.ToHtml(), StringComparison.Ordinal));
        Assert.InRange(ChartView.PlotlyLoader.Length, 1_000_000, 1_600_000);
    }

    [Fact]
    public void PlotlyLoader_Unpacked_IsPlotlysOwnScript()
    {
        byte[] packed = Convert.FromBase64String(Packed().Match(ChartView.PlotlyLoader).Groups[1].Value);
        using var gzip = new GZipStream(new MemoryStream(packed), CompressionMode.Decompress);
        using var reader = new StreamReader(gzip);
        string script = reader.ReadToEnd();
        Assert.Equal(PlotlyFigure.PlotlyJs(), script);
        Assert.Contains("plotly.js v2", script, StringComparison.Ordinal);
    }

    [Fact]
    public void PlotlyLoader_IsOneScriptThatLeavesAPageWithPlotlyAlone()
    {
        IHtmlDocument page = new HtmlParser().ParseDocument(ChartView.PlotlyLoader);
        string script = Assert.Single(page.Scripts).Text;
        Assert.StartsWith("window.clipoodPlotly ??= window.Plotly ? Promise.resolve() :", script.Trim(), StringComparison.Ordinal);
        Assert.Contains("(function (define, require, module, exports) {", script, StringComparison.Ordinal);
    }

    [Fact]
    public void ToHtml_OnAPageWithPlotly_CarriesNone()
    {
        AppDomain.CurrentDomain.SetData(Key, "page");
        Assert.DoesNotContain("DecompressionStream", Chart("a").ToHtml(), StringComparison.Ordinal);
    }

    [Fact]
    public void ToHtml_OfHostileNames_HoldsOneScriptAndNoElementOfTheirs()
    {
        AppDomain.CurrentDomain.SetData(Key, "page");
        IHtmlDocument page = new HtmlParser().ParseDocument(Chart("</script><img src=x onerror=alert(1)>").ToHtml());
        Assert.Single(page.Scripts);
        Assert.Empty(page.Images);
        Assert.EndsWith("})();", page.Scripts[0].Text.Trim(), StringComparison.Ordinal);
    }

    [Fact]
    public void ToHtml_OfTheSameChart_IsTheSame()
    {
        AppDomain.CurrentDomain.SetData(Key, "page");
        Assert.Equal(Chart("a").ToHtml(), Chart("a").ToHtml());
    }

    [Fact]
    public void With_ChangesTitleAndCaptionOnly()
    {
        ChartView chart = Chart("a").WithTitle("Title").WithCaption("Caption");
        Assert.Equal(("Title", "Caption"), (chart.Title, chart.Caption));
        Assert.Equal(Chart("a").AltText, chart.AltText);
    }

    private static ChartView Chart(string name) =>
        Charts.ScoreHistogram((name, new IdScores("MCM", [1, 2])), [("DTD", new IdScores("MCM", [0, 1]))]);

    [GeneratedRegex("atob\\('([^']*)'\\)")]
    private static partial Regex Packed();
}
