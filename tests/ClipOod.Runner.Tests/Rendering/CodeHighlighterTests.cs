using AngleSharp.Dom;
using AngleSharp.Html.Parser;
using ClipOod.Runner.Rendering;

namespace ClipOod.Runner.Tests.Rendering;

public sealed class CodeHighlighterTests
{
    [Theory]
    [InlineData("return 1;", "k", "return")]
    [InlineData("var x = 1;", "k", "var")]
    [InlineData("var x = 1.5e3;", "n", "1.5e3")]
    [InlineData("var x = \"a b\";", "s", "\"a b\"")]
    [InlineData("var x = $\"a {y} b\";", "s", "$\"a ")]
    [InlineData("var x = \"\"\"raw\"\"\";", "s", "\"\"\"raw\"\"\"")]
    [InlineData("int x; // why", "c", "// why")]
    [InlineData("int x; /* why */", "c", "/* why */")]
    [InlineData("new List<Thing>()", "t", "List")]
    [InlineData("new List<Thing>()", "t", "Thing")]
    [InlineData("Scores.Mcm(x)", "t", "Scores")]
    [InlineData("Scores.Mcm(x)", "m", "Mcm")]
    [InlineData("rows.Select(r => r)", "m", "Select")]
    [InlineData("Cast<int>(x)", "m", "Cast")]
    [InlineData("record Point(double X);", "t", "Point")]
    [InlineData("#r \"a.dll\"", "d", "#r \"a.dll\"")]
    [InlineData("#!time\nvar x = 1;", "d", "#!time")]
    [InlineData("var x = 1;\n#!import other.dib", "d", "#!import other.dib")]
    public void ToHtml_OfCode_ClassifiesItsWords(string code, string name, string word) =>
        Assert.Contains(word, Parse(code).QuerySelectorAll("." + name).Select(span => span.TextContent));

    [Theory]
    [InlineData("var s = \"<b>&\";\n\nif (x < 1 && y > 2) { }\n\t// <tab>")]
    [InlineData("broken ( { \"open\nvar x = 'a")]
    [InlineData("#!time\n#r \"x\"\n/* open\n comment")]
    [InlineData("")]
    public void ToHtml_OfAnyCode_ShowsItUnchanged(string code) => Assert.Equal(code + "\n", Parse(code).TextContent);

    [Fact]
    public void ToHtml_WithAMarkedLine_MarksThatOne() =>
        Assert.Equal("two();", Assert.Single(Parse("one();\ntwo();", markedLine: 2).QuerySelectorAll(".line.marked")).TextContent);

    private static IElement Parse(string code, int? markedLine = null) =>
        new HtmlParser().ParseDocument($"<code>{CodeHighlighter.ToHtml(code, markedLine)}</code>").QuerySelector("code")!;
}
