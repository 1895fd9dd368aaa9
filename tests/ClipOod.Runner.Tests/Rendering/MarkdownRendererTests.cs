using AngleSharp.Dom;
using AngleSharp.Html.Parser;
using ClipOod.Runner.Execution;
using ClipOod.Runner.Kernel;
using ClipOod.Runner.Rendering;

namespace ClipOod.Runner.Tests.Rendering;

public sealed class MarkdownRendererTests
{
    [Theory]
    [InlineData("a $x$ b", false)]
    [InlineData("a $x +\ny$ b", false)]
    [InlineData("a $x +\n\\alpha$ b", false)]
    [InlineData("$$x +\ny$$", true)]
    [InlineData("$$ x $$", true)]
    [InlineData("$$x$$", true)]
    [InlineData("$$\nx\n$$", true)]
    [InlineData("$$\n\\begin{aligned}\na &= b \\\\\nc &= d\n\\end{aligned}\n$$", true)]
    public void ToHtml_OfAFormula_GivesMathML(string source, bool isDisplay)
    {
        IElement math = Parse(source).QuerySelector("math")!;
        Assert.Equal(isDisplay, math.GetAttribute("display") == "block");
    }

    [Fact]
    public void ToHtml_OfPrices_LeavesTheDollars()
    {
        IElement html = Parse("It costs $5 and $6, not `$x$`.");
        Assert.Null(html.QuerySelector("math"));
        Assert.Equal("It costs $5 and $6, not $x$.", html.TextContent.Trim());
    }

    [Fact]
    public void ToHtml_OfATableWithBarsInFormulas_KeepsItsColumns()
    {
        IElement html = Parse("| a | b |\n|---|--:|\n| $|x|$ | 2 |");
        Assert.Equal(2, html.QuerySelectorAll("tbody td").Length);
    }

    [Fact]
    public void ToHtml_OfTasksAndFootnotes_RendersThem()
    {
        IElement html = Parse("- [x] done\n\nA claim.[^1]\n\n[^1]: Its source.");
        Assert.NotNull(html.QuerySelector("input[type=checkbox][checked]"));
        Assert.Contains("Its source.", html.QuerySelector(".footnotes")!.TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public void ToHtml_OfABrokenFormula_ShowsItsSourceAndTheReason()
    {
        IElement error = Parse("See $\\fooo<b>$.").QuerySelector(".tex-error")!;
        Assert.Equal("\\fooo<b>", error.QuerySelector("code")!.TextContent);
        Assert.Contains("Unknown TeX command \\fooo", error.TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public void Validate_OfSoundFormulas_IsNull() => Assert.Null(MarkdownRenderer.Validate("# T\n\n$x$ and\n\n$$\n\\frac12\n$$\n"));

    [Theory]
    [InlineData("# T\n\nfine $x$, not $\\foo$", 3)]
    [InlineData("a\n\n$$\nx +\n\\foo\n$$\n\n$\\bar$", 5)]
    [InlineData("| a |\n|---|\n| $\\foo$ |", 3)]
    [InlineData("> quote\n> $\\foo$", 2)]
    [InlineData("- item\n- two\n\n  $$\n  \\foo\n  $$", 5)]
    [InlineData("text $x +\n\\foo$", 2)]
    public void Validate_OfABrokenFormula_GivesItsLine(string source, int line)
    {
        CellError error = MarkdownRenderer.Validate(source)!;
        Assert.Equal("TexError", error.Type);
        Assert.Equal(line, error.Line);
        Assert.Contains("\\foo", error.Message, StringComparison.Ordinal);
    }

    private static IElement Parse(string source) => new HtmlParser().ParseDocument(MarkdownRenderer.ToHtml(source)).Body!;
}
