using System.Xml.Linq;
using ClipOod.Runner.Rendering;

namespace ClipOod.Runner.Tests.Rendering;

public sealed class TexToMathMLTests
{
    [Theory]
    [InlineData("x", "<mi>x</mi>")]
    [InlineData("12.5", "<mn>12.5</mn>")]
    [InlineData("a_1", "<msub><mi>a</mi><mn>1</mn></msub>")]
    [InlineData("a_1^2", "<msubsup><mi>a</mi><mn>1</mn><mn>2</mn></msubsup>")]
    [InlineData("a^2_1", "<msubsup><mi>a</mi><mn>1</mn><mn>2</mn></msubsup>")]
    [InlineData(@"\frac12", "<mfrac><mn>1</mn><mn>2</mn></mfrac>")]
    [InlineData(@"\frac{a}{\sqrt{b}}", "<mfrac><mi>a</mi><msqrt><mi>b</mi></msqrt></mfrac>")]
    [InlineData(@"\sqrt[3]{x}", "<mroot><mi>x</mi><mn>3</mn></mroot>")]
    [InlineData(@"\mathrm{TPR}", "<mi>TPR</mi>")]
    [InlineData(@"\mathbf{w}", "<mi>𝐰</mi>")]
    [InlineData(@"\mathbb{R}", "<mi>ℝ</mi>")]
    [InlineData(@"\mathcal{L}", "<mi>ℒ</mi>")]
    [InlineData(@"\alpha", "<mi>α</mi>")]
    [InlineData(@"\Omega", "<mi mathvariant=\"normal\">Ω</mi>")]
    [InlineData(@"\text{if so}", "<mtext>if\u00a0so</mtext>")]
    [InlineData("% a comment\nx", "<mi>x</mi>")]
    public void Convert_OfOneConstruct_GivesItsElement(string tex, string expected) => Assert.Equal(expected, Content(tex));

    [Fact]
    public void Convert_OfPrimes_PutsThemInTheSuperscript()
    {
        XElement formula = Parse("x''_i");
        Assert.Equal("msubsup", formula.Elements().Single().Name);
        Assert.Equal("″", formula.Descendants("mo").Single().Value.Replace("′′", "″", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(@"\sum_{i=1}^n x", "munderover")]
    [InlineData(@"\max_k p", "munder")]
    [InlineData(@"\operatorname*{arg\,max}_k p", "munder")]
    [InlineData(@"\int_0^1 x", "msubsup")]
    [InlineData(@"\int\limits_0^1 x", "munderover")]
    [InlineData(@"\sum\nolimits_i x", "msub")]
    [InlineData(@"\log_2 x", "msub")]
    [InlineData(@"\underbrace{a+b}_{c}", "munder")]
    public void Convert_OfScripts_PlacesThemWhereTheOperatorTakesThem(string tex, string element)
    {
        XElement formula = Parse(tex);
        XElement first = formula.Elements().Single();
        Assert.Equal(element, (first.Name == "mrow" ? first.Elements().First() : first).Name);
    }

    [Theory]
    [InlineData("a - b", "0.2222em")]
    [InlineData("-b", "0em")]
    [InlineData("(-b)", "0em")]
    [InlineData("a = -b", "0em")]
    [InlineData(@"a \cdot -b", "0em")]
    public void Convert_OfMinus_SpacesItAsOperationOrSign(string tex, string space)
    {
        XElement minus = Parse(tex).Descendants("mo").Single(mo => mo.Value == "−");
        Assert.Equal(space, minus.Attribute("lspace")!.Value);
        Assert.Equal(space, minus.Attribute("rspace")!.Value);
    }

    [Fact]
    public void Convert_OfRelationInAScript_LeavesNoSpace() =>
        Assert.Equal("0em", Parse(@"\sum_{i=1} x").Descendants("mo").Single(mo => mo.Value == "=").Attribute("lspace")!.Value);

    [Fact]
    public void Convert_OfLeftAndRight_StretchesThemAndDropsTheDot()
    {
        XElement formula = Parse(@"\left. \frac{a}{b} \right|_{x=0}");
        XElement fence = formula.Descendants("mo").Single(mo => mo.Value == "|");
        Assert.Equal("true", fence.Attribute("stretchy")!.Value);
    }

    [Fact]
    public void Convert_OfCases_GivesABraceAndLeftAlignedRows()
    {
        XElement formula = Parse(@"\begin{cases} x & x \ge 0 \\ -x & \text{otherwise} \end{cases}");
        Assert.Equal("{", formula.Descendants("mo").First().Value);
        Assert.Equal(2, formula.Descendants("mtr").Count());
        Assert.All(formula.Descendants("mtd"), cell => Assert.Contains("text-align:left", cell.Attribute("style")!.Value, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("aligned", 2)]
    [InlineData("pmatrix", 2)]
    [InlineData("bmatrix", 2)]
    public void Convert_OfEnvironmentWithATrailingBreak_AddsNoEmptyRow(string name, int rows) =>
        Assert.Equal(rows, Parse($@"\begin{{{name}}} a & b \\ c & d \\ \end{{{name}}}").Descendants("mtr").Count());

    [Theory]
    [InlineData(@"H(p) = -\sum_{k=1}^{K} p_k \log p_k \in [0, \log K]")]
    [InlineData(@"p_k = \frac{e^{z_k / T}}{\sum_{j} e^{z_j / T}}, \qquad z = s \cdot \langle v, w_k \rangle")]
    [InlineData(@"M(x) = -\min_c\,(x-\mu_c)^\top \Sigma^{-1} (x-\mu_c)")]
    [InlineData(@"\mathrm{AUROC} = \frac{1}{nm}\sum_{i,j} \mathbb{1}[s_i > t_j] + \tfrac12 \mathbb{1}[s_i = t_j]")]
    [InlineData(@"V \in \mathbb{R}^{N\times D},\ \lVert v \rVert_2 = 1,\ \hat y = \argmax_k z_k,\ \bar{\tau} \ne \tilde\mu \to \infty")]
    [InlineData(@"\mathcal{L} = -\log\frac{\exp(s\,v\cdot w_y)}{\sum_k \exp(s\,v \cdot w_k)} + \lambda \nabla \partial \ell")]
    [InlineData(@"\sum_{\substack{i \le n \\ j < m}} \binom{n}{k} \bigl( \lfloor x \rfloor + \lceil y \rceil \bigr) \xi'")]
    [InlineData(@"E(x) = -T \log \sum_{k} e^{z_k/T}, \quad \theta \leftarrow \theta - \eta \nabla_\theta \mathcal{L}, \quad A \cup B \setminus C, \ldots, \cdots")]
    [InlineData(@"\left\{ x \;\middle|\; \frac{x}{2} > 0 \right\}, \overset{\text{def}}{=}, \boxed{x}, \not\in, \pm, \mp, \sim, \approx, \equiv, \propto")]
    public void Convert_OfAFormulaOfTheMethods_GivesMathMLWithItsSourceAsText(string tex)
    {
        XElement formula = Parse(tex);
        Assert.Equal(tex, formula.Attribute("alttext")!.Value);
        Assert.DoesNotContain('\\', formula.Value);
    }

    [Theory]
    [InlineData(@"a + \fooo{b}", @"Unknown TeX command \fooo", 4)]
    [InlineData(@"\frac{a}{b", "never closed", 8)]
    [InlineData("a}", "no opening", 1)]
    [InlineData("a^b^c", "Two superscripts", 3)]
    [InlineData("a_b_c", "Two subscripts", 3)]
    [InlineData("a &= b", @"\begin", 2)]
    [InlineData(@"\left( a", @"\right", 0)]
    [InlineData(@"a \right)", @"no \left", 2)]
    [InlineData(@"\begin{foo} a \end{foo}", "Unknown environment foo", 0)]
    [InlineData(@"\begin{cases} a \end{matrix}", "closed by", 16)]
    [InlineData(@"\begin{cases} a", "has no", 0)]
    [InlineData("a^", "needs an argument", 2)]
    [InlineData(@"\text abc", "braces", 6)]
    [InlineData(@"x \", "lone backslash", 2)]
    [InlineData(@"\not x", "relation", 0)]
    public void Convert_OfABrokenFormula_SaysWhatAndWhere(string tex, string message, int position)
    {
        TexException exception = Assert.Throws<TexException>(() => TexToMathML.Convert(tex, display: true));
        Assert.Contains(message, exception.Message, StringComparison.Ordinal);
        Assert.Equal(position, exception.Position);
    }

    [Fact]
    public void Convert_OfEndlessNesting_ThrowsInsteadOfExhaustingTheStack() =>
        Assert.Throws<TexException>(() => TexToMathML.Convert(new string('{', 100_000), display: false));

    [Fact]
    public void Convert_OfEndlessFractions_ThrowsInsteadOfExhaustingTheStack() =>
        Assert.Throws<TexException>(() => TexToMathML.Convert(string.Concat(Enumerable.Repeat(@"\sqrt", 100_000)) + "x", display: false));

    [Fact]
    public void Convert_OfSignsOfHtml_EscapesThem() =>
        Assert.Contains("&lt;", TexToMathML.Convert("a < b", display: false), StringComparison.Ordinal);

    private static XElement Parse(string tex) => XElement.Parse(TexToMathML.Convert(tex, display: true));

    private static string Content(string tex) => string.Concat(Parse(tex).Elements().Select(element => element.ToString(SaveOptions.DisableFormatting)));
}
