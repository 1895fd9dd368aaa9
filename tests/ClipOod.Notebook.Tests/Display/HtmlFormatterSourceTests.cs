using System.Reflection;
using ClipOod.Autodiff;
using ClipOod.Clip;
using Microsoft.DotNet.Interactive.Formatting;

namespace ClipOod.Notebook.Tests.Display;

[Collection("process")]
public sealed class HtmlFormatterSourceTests
{
    private static readonly ResultTable _table = new ResultTable("Title").Text("a", ["<x>"]);

    [Fact]
    public void Formatter_OfAResultTable_PrefersHtmlThenText() =>
        Assert.Equal(["text/html", "text/plain"], Formatter.GetPreferredMimeTypesFor(typeof(ResultTable)));

    [Fact]
    public void ToDisplayString_AsHtml_IsToHtml() =>
        Assert.Equal(_table.ToHtml(), _table.ToDisplayString("text/html"));

    [Fact]
    public void ToDisplayString_AsText_IsToString() =>
        Assert.Equal(_table.ToString(), _table.ToDisplayString("text/plain"));

    [Fact]
    public void ToDisplayString_OfAChart_IsItsFigure()
    {
        ChartView chart = Charts.ScoreHistogram(new IdScores("MCM", [1, 2]), new IdScores("MCM", [0, 1]));
        Assert.Contains("data-clipood-chart", chart.ToDisplayString("text/html"), StringComparison.Ordinal);
        Assert.Equal(chart.ToString(), chart.ToDisplayString("text/plain"));
    }

    [Fact]
    public void ToDisplayString_OfAGraph_IsItsTables()
    {
        Graph graph = new("<tiny>");
        graph.Output("y", graph.Input("x", ElementType.Float, "batch").Exp());
        Assert.Equal(graph.ToHtml(), graph.ToDisplayString("text/html"));
        Assert.Equal(graph.ToString(), graph.ToDisplayString("text/plain"));
    }

    [Fact]
    public void EveryTypeWithToHtml_IsMarkedForDisplay()
    {
        Type[] displayable = [.. new[] { typeof(ResultTable), typeof(ClipModel), typeof(Graph) }
            .SelectMany(type => type.Assembly.GetExportedTypes())
            .Where(type => type.GetMethod("ToHtml", Type.EmptyTypes) is not null)];
        Assert.Contains(typeof(ChartView), displayable);
        Assert.Contains(typeof(Graph), displayable);
        Assert.All(displayable, type => Assert.Equal(
            typeof(HtmlFormatterSource), type.GetCustomAttribute<ClipOod.Autodiff.TypeFormatterSourceAttribute>()?.FormatterSourceType));
    }
}
