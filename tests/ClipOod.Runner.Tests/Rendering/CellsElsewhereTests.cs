using System.Text.RegularExpressions;
using AngleSharp.Dom;
using AngleSharp.Html.Parser;
using ClipOod.Runner.Documents;
using ClipOod.Runner.Execution;
using ClipOod.Runner.Rendering;
using Markdig;
using Markdig.Syntax;

namespace ClipOod.Runner.Tests.Rendering;

/// <summary>What notebooks become in other hosts, and what of theirs those hosts must know.</summary>
public sealed partial class CellsElsewhereTests
{
    // The commands that our formulas use. All formulas went through MathJax 3 (base and ams, what Jupyter loads) without an error.
    private static readonly HashSet<string> _mathJax =
    [
        .. "! , ; Big Leftrightarrow Phi Sigma \\ alpha approx bar begin beta cdot cos delta dots end eta exp frac ge geq hat iff in jmath lVert lambda langle lceil le left leftarrow".Split(' '),
        .. "ln log mathrm max min mp mu ne operatorname overline partial pi pm qquad quad rVert rangle rceil rho right sigma sqrt sum tau text textstyle tfrac theta tilde times top varepsilon { }".Split(' '),
    ];

    private static readonly IReadOnlyList<NotebookFile> _notebooks = NotebookFile.Find(Path.Combine(Repository.Root, "notebooks"));

    private static readonly MarkdownPipeline _withoutFormulas = new MarkdownPipelineBuilder().UsePipeTables().UseEmphasisExtras().UseFootnotes().UseAlertBlocks().Build();

    public static TheoryData<string> Names => [.. _notebooks.Select(notebook => notebook.Id)];

    [Fact]
    public void ResolveReferences_TakesFilesFromTheFolderOfTheNotebook_AndLeavesPackages()
    {
        string folder = Path.Combine(Repository.Root, "notebooks");
        string absolute = Path.Combine(Repository.Root, "a.dll");

        Assert.Equal(
            $"#r \"{absolute}\"\n#r \"{absolute}\"\r\n#r \"nuget: A, 1.0.0\"\nvar s = \"#r \\\"x.dll\\\"\";",
            CellsElsewhere.ResolveReferences($"#r \"../a.dll\"\n#r \"{absolute}\"\r\n#r \"nuget: A, 1.0.0\"\nvar s = \"#r \\\"x.dll\\\"\";", folder));
    }

    [Theory]
    [InlineData("see [it](03-a.dib).", "see [it](03-a.ipynb).", "see it (`03-a.dib`).")]
    [InlineData("[a [b] c](03-a.dib#top)", "[a [b] c](03-a.ipynb#top)", "a [b] c (`03-a.dib`)")]
    [InlineData("[web](https://example.org/a.dib) [x](data/a.dib)", "[web](https://example.org/a.dib) [x](data/a.dib)", "[web](https://example.org/a.dib) [x](data/a.dib)")]
    public void Links_LeadToTheOtherFormat_OrAreNamed(string markdown, string linked, string named)
    {
        Assert.Equal(linked, CellsElsewhere.LinkTo(markdown, "ipynb"));
        Assert.Equal(named, CellsElsewhere.NameLinks(markdown));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Verso_GetsEachFormulaAsMathML_InMarkdownThatHasNoFormulas(string name)
    {
        NotebookFile notebook = _notebooks.Single(notebook => notebook.Id == name);
        DibDocument exported = DibDocument.Parse(VersoExporter.ToText(notebook));

        Assert.Equal(notebook.Document.Cells.Select(cell => cell.Kernel), exported.Cells.Select(cell => cell.Kernel));
        Assert.All(notebook.Document.Cells.Zip(exported.Cells).Where(pair => pair.First.Kernel == "markdown"), pair =>
        {
            Assert.Equal(Formulas(MarkdownRenderer.ToHtml(pair.First.Source)), Formulas(Markdown.ToHtml(pair.Second.Source, _withoutFormulas)));
            Assert.Empty(MarkdownRenderer.Parse(pair.Second.Source).Descendants().Select(Formula.From).OfType<Formula>());
            Assert.DoesNotContain(".dib)", pair.Second.Source, StringComparison.Ordinal);
        });
        Assert.All(
            exported.Cells.SelectMany(cell => Reference().Matches(cell.Source)),
            reference => Assert.True(Path.IsPathRooted(reference.Groups[1].Value), reference.Value));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Formulas_UseOnlyWhatMathJaxHas(string name)
    {
        IEnumerable<Formula> formulas = _notebooks.Single(notebook => notebook.Id == name).Document.Cells
            .Where(cell => cell.Kernel == "markdown")
            .SelectMany(cell => MarkdownRenderer.Parse(cell.Source).Descendants().Select(Formula.From).OfType<Formula>());
        Assert.All(
            formulas.SelectMany(formula => Command().Matches(formula.Tex).Select(match => match.Groups[1].Value)),
            command => Assert.True(_mathJax.Contains(command), $"Nobody has tried whether MathJax, which Jupyter has, knows \\{command}: try it, then add it here."));
    }

    private static string[] Formulas(string html) =>
        [.. new HtmlParser().ParseDocument(html).QuerySelectorAll("math").Select(math => math.QuerySelectorAll("*").Length + ": " + math.TextContent.ReplaceLineEndings(" "))];

    [GeneratedRegex("^#r \"(.+)\"", RegexOptions.Multiline)]
    private static partial Regex Reference();

    [GeneratedRegex(@"\\([a-zA-Z]+|[^a-zA-Z\s])")]
    private static partial Regex Command();
}
