using AngleSharp.Dom;
using AngleSharp.Html.Parser;
using ClipOod.Runner.Rendering;
using CsCheck;

namespace ClipOod.Runner.Tests.Rendering;

public sealed class HtmlFragmentTests
{
    // Placed around a fragment, these must still be siblings after a browser's parser has read the page.
    private const string Before = "<!doctype html><html><head><title>t</title></head><body><main><div id=\"before\"></div><div id=\"place\">";
    private const string After = "</div><div id=\"after\"></div></main><footer></footer></body></html>";

    [Theory]
    [InlineData("</div></div></main></body></html>")]
    [InlineData("<div><div><section>")]
    [InlineData("<script>var a = 1;")]
    [InlineData("<script>var a = '<!--<script>';</script>")]
    [InlineData("<script><!--<script>")]
    [InlineData("<script>\n<!-- old style\nvar a = 1;\n//-->\n</script>")]
    [InlineData("<!-- open")]
    [InlineData("<!--><!--->")]
    [InlineData("<plaintext>all the rest")]
    [InlineData("<style>body{display:none}")]
    [InlineData("<style>} body{display:none} /*")]
    [InlineData("</template><template><div>")]
    [InlineData("<table><tr><td>a<table><tr>")]
    [InlineData("<td>lost</td><tr><col>")]
    [InlineData("<textarea>x")]
    [InlineData("<xmp>x")]
    [InlineData("<iframe>x")]
    [InlineData("<noscript><p title=\"</noscript></div></main>\">")]
    [InlineData("<select><option>a<div>")]
    [InlineData("<svg><style><!--</style></svg><svg><p></svg>")]
    [InlineData("<math><mtext><table><mglyph><style><!--</style>")]
    [InlineData("<form><div></form><form><input>")]
    [InlineData("<a href=1>one<a href=2>two")]
    [InlineData("<p><b><p></b>")]
    [InlineData("<svg><foreignObject><div></svg></div>")]
    [InlineData("<![CDATA[ x ]]><?php echo ?>")]
    [InlineData("<html><head><base href=\"http://x/\"><meta http-equiv=refresh><link rel=stylesheet href=x></head><body onload=x>ok")]
    public void Parse_OfAHostileFragment_LeavesThePageAroundItWhole(string html) => AssertContained(html);

    [Fact]
    public void Parse_OfAnyMixOfTags_LeavesThePageAroundItWhole()
    {
        string[] pieces =
        [
            "<div>", "</div>", "<p>", "</p>", "<b>", "</b>", "<i>", "<table>", "<tr>", "<td>", "</table>", "<script>", "</script>", "<style>", "</style>",
            "<!--", "-->", "<svg>", "</svg>", "<math>", "<mtext>", "<template>", "</template>", "<plaintext>", "<textarea>", "</textarea>", "<select>",
            "<option>", "<a href=x>", "<form>", "</main>", "</body>", "<title>", "</title>", "x", "\"", "<", "&", "<!", "<?", "<button>", "<li>", "<h1>",
        ];
        Gen.OneOf([.. pieces.Select(Gen.Const)]).Array[0, 12].Select(string.Concat).Sample(html => AssertContained(html), iter: 2000);
    }

    [Theory]
    [InlineData("<table><tr><td>1</td></tr></table>", "<table><tbody><tr><td>1</td></tr></tbody></table>")]
    [InlineData("<script>var a = 1 < 2 && '<b>';</script>", "<script>var a = 1 < 2 && '<b>';</script>")]
    [InlineData("<div class=\"clipood-chart\"><div id=\"c\"></div></div>", "<div class=\"clipood-chart\"><div id=\"c\"></div></div>")]
    public void Parse_OfAnOrderlyFragment_KeepsIt(string html, string expected) => Assert.Equal(expected, HtmlFragment.Parse(html, "o").ToHtml());

    [Fact]
    public void Parse_OfAStyle_ScopesItToTheOutput()
    {
        string html = HtmlFragment.Parse("<style>.a{color:red} }body{display:none}</style><p class=a>x</p>", "output-1").ToHtml();
        Assert.Equal("<style>#output-1 {\n.a{color:red} body{display:none}\n}</style><p class=\"a\">x</p>", html);
    }

    [Fact]
    public void Parse_OfEndlessNesting_ShowsTheSource()
    {
        string html = HtmlFragment.Parse(string.Concat(Enumerable.Repeat("<div>", 2_000)), "o").ToHtml();
        Assert.StartsWith("<pre class=\"stream\">&lt;div&gt;", html, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a{b:c}", "a{b:c}")]
    [InlineData("} body{display:none}", " body{display:none}")]
    [InlineData("a{b:c", "a{b:c}")]
    [InlineData("a{b:url(x}", "a{b:url(x)}")]
    [InlineData("a::before{content:'}'}", "a::before{content:'}'}")]
    [InlineData("a::before{content:'}\n} b{}", "a::before{content:'}'\n} b{}")]
    [InlineData("/* } */a{} /* open", "a{} ")]
    [InlineData("a{content:\"x\\\"}\"}", "a{content:\"x\\\"}\"}")]
    [InlineData("a{} \\", "a{} ")]
    public void Balance_OfRules_ClosesWhatIsOpenAndDropsWhatIsNot(string css, string expected) => Assert.Equal(expected, CssScope.Balance(css));

    [Theory]
    [InlineData("'</script>'", "'\\x3C/script>'")]
    [InlineData("'<!--'", "'\\x3C!--'")]
    [InlineData("<!-- old", "// old")]
    [InlineData("i<script.length", "i<script.length")]
    public void Script_WithWordsThatEndIt_EscapesThem(string source, string expected) => Assert.Equal(expected, HtmlFragment.Script(source));

    private static void AssertContained(string html)
    {
        string contained = HtmlFragment.Parse(html, "place").ToHtml();
        IDocument page = new HtmlParser().ParseDocument(Before + contained + After);
        IElement main = page.QuerySelector("main")!;
        Assert.Equal(["before", "place", "after"], main.Children.Select(child => child.Id));
        Assert.Equal(["MAIN", "FOOTER"], page.Body!.Children.Select(child => child.TagName));
        Assert.Equal("t", page.Title);
        Assert.Empty(page.QuerySelectorAll("base, meta, link"));
    }
}
