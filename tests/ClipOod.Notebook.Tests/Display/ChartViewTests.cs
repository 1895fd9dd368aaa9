using AngleSharp.Html.Dom;
using AngleSharp.Html.Parser;

namespace ClipOod.Notebook.Tests.Display;

/// <summary>Tests of what the process shares: with the other tests that render charts they run one after the other.</summary>
[Collection("process")]
public sealed class ChartViewTests : IDisposable
{
    private const string Key = "workbook.plotly";

    public ChartViewTests() => ChartView.ForgetPlotly();

    public void Dispose() => AppDomain.CurrentDomain.SetData(Key, null);

    [Fact]
    public void ToHtml_WithoutAHost_CarriesPlotlyOnce()
    {
        Assert.Contains("plotly.js v2", Chart("a").ToHtml(), StringComparison.Ordinal);
        Assert.DoesNotContain("plotly.js v2", Chart("b").ToHtml(), StringComparison.Ordinal);
    }

    [Fact]
    public void ToHtml_OnAPageWithPlotly_CarriesNone()
    {
        AppDomain.CurrentDomain.SetData(Key, "page");
        Assert.DoesNotContain("plotly.js v2", Chart("a").ToHtml(), StringComparison.Ordinal);
    }

    [Fact]
    public void ToHtml_OfTheCarriedPlotly_HidesModuleLoadersAndCannotEndItsScript()
    {
        string html = Chart("a").ToHtml();
        Assert.Contains("<script>if (!window.Plotly) { (function (define, require, module, exports) {", html, StringComparison.Ordinal);
        Assert.DoesNotContain("</script", ChartView.PlotlyJs(), StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("<!--", ChartView.PlotlyJs(), StringComparison.Ordinal);
    }

    [Fact]
    public void ToHtml_OfHostileNames_HoldsOneScriptAndNoElementOfTheirs()
    {
        AppDomain.CurrentDomain.SetData(Key, "page");
        IHtmlDocument page = new HtmlParser().ParseDocument(Chart("</script><img src=x onerror=alert(1)>").ToHtml());
        Assert.Single(page.Scripts);
        Assert.Empty(page.Images);
        Assert.EndsWith("(0);", page.Scripts[0].Text.Trim(), StringComparison.Ordinal);
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
}
