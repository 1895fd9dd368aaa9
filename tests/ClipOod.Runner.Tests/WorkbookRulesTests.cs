using System.Text;
using System.Text.RegularExpressions;
using ClipOod.Runner.Execution;

namespace ClipOod.Runner.Tests;

/// <summary>What every notebook of this repository keeps to, and what the README says of them.</summary>
public sealed partial class WorkbookRulesTests
{
    private const string Setup = """
        #r "../artifacts/notebook/ClipOod.Notebook.dll"
        using ClipOod.Notebook;
        """;

    private const int LongestCodeCell = 15;

    // As many characters as a page shows without scrolling sideways.
    private const int LongestCodeLine = 100;

    private static readonly IReadOnlyList<NotebookFile> _notebooks = NotebookFile.Find(Path.Combine(Repository.Root, "notebooks"));

    // 00 says what the worlds are. 01 to 06 and 18 are being written anew: take them in with that.
    public static TheoryData<string> NamesInEveryWorld =>
        [.. _notebooks.Where(notebook => notebook.Worlds.Count == 0 && string.CompareOrdinal(notebook.Number, "07") >= 0 && notebook.Number != "18").Select(notebook => notebook.Id)];

    public static TheoryData<string> Names => [.. _notebooks.Select(notebook => notebook.Id)];

    [Fact]
    public void Numbers_CountFromZeroWithoutGaps() =>
        Assert.Equal(Enumerable.Range(0, _notebooks.Count).Select(i => i.ToString("00", null)), _notebooks.Select(notebook => notebook.Number));

    [Theory]
    [MemberData(nameof(Names))]
    public void Title_StartsWithTheNumber_AndAQuestionFollows(string name)
    {
        NotebookFile notebook = Notebook(name);
        Assert.StartsWith($"{notebook.Number} · ", notebook.Title, StringComparison.Ordinal);
        Assert.EndsWith("?", notebook.Question, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void FirstCodeCell_IsTheSetupOfAllNotebooks(string name) =>
        Assert.Equal(Setup, Code(name).First());

    [Theory]
    [MemberData(nameof(Names))]
    public void CodeCells_AreShort(string name) => Assert.All(Code(name), source =>
    {
        string[] lines = source.Split('\n');
        Assert.True(lines.Length <= LongestCodeCell, $"More than {LongestCodeCell} lines:\n{source}");
        Assert.All(lines, line => Assert.True(line.Length <= LongestCodeLine, $"More than {LongestCodeLine} characters:\n{line}"));
    });

    [Theory]
    [MemberData(nameof(Names))]
    public void Cells_UseOnlyWhatDotNetInteractiveRunsUnchanged(string name)
    {
        Assert.All(Notebook(name).Document.Cells, cell => Assert.Contains(cell.Kernel, new[] { "csharp", "markdown" }));
        Assert.All(
            Code(name).Skip(1).SelectMany(source => source.Split('\n')).Where(line => line.StartsWith('#')),
            line => Assert.Matches(OwnLibrary(), line));
        Assert.All(Code(name), source => Assert.DoesNotContain("Console.Write", source, StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void LinksToNotebooks_LeadSomewhere(string name) =>
        Assert.All(
            Link().Matches(string.Join('\n', Notebook(name).Document.Cells.Select(cell => cell.Source))),
            link => Assert.Contains(_notebooks, notebook => notebook.Id == link.Groups[1].Value));

    // A page holds no text of another world: what is true in one only stands in a paragraph that begins with its name.
    [Theory]
    [MemberData(nameof(NamesInEveryWorld))]
    public void Text_OfOneWorld_StandsUnderItsName(string name) => Assert.All(
        Notebook(name).Document.Cells.Where(cell => cell.Kernel == "markdown").SelectMany(cell => cell.Source.Split("\n\n")),
        paragraph => Assert.False(
            OneWorld().IsMatch(Command().Replace(paragraph, "")) && !UnderItsName().IsMatch(paragraph),
            $"This is of one world only. Begin the paragraph with **In `name`:**, or say it for every world:\n{paragraph}"));

    [Fact]
    public void Readme_ListsTheNotebooks()
    {
        StringBuilder table = new("| notebook | question |\n|---|---|\n");
        foreach (NotebookFile notebook in _notebooks)
        {
            table.Append(null, $"| [{notebook.Title}](notebooks/{notebook.Id}.dib) | {notebook.Question} |\n");
        }

        string readme = File.ReadAllText(Path.Combine(Repository.Root, "README.md")).ReplaceLineEndings("\n");
        Assert.True(
            readme.Contains(table.ToString(), StringComparison.Ordinal),
            $"README.md does not list the notebooks as they are. Put this between its two comments about notebooks:\n\n{table}");
    }

    private static NotebookFile Notebook(string name) => _notebooks.Single(notebook => notebook.Id == name);

    private static IEnumerable<string> Code(string name) =>
        Notebook(name).Document.Cells.Where(cell => cell.Kernel == "csharp").Select(cell => cell.Source);

    [GeneratedRegex(@"\bpictograms?\b|\bdrawings?\b|\btiny CLIP\b|\bclip-features\b", RegexOptions.IgnoreCase)]
    private static partial Regex OneWorld();

    [GeneratedRegex("`clipood [^`]*`")]
    private static partial Regex Command();

    [GeneratedRegex(@"^\s*(- )?\*\*In `[\w-]+`:\*\*")]
    private static partial Regex UnderItsName();

    [GeneratedRegex(@"\]\(([^)/]+)\.dib(?:#[^)]*)?\)")]
    private static partial Regex Link();

    // A lesson that looks inside loads more of our libraries than the setup does, or the one that decodes pictures a second way.
    [GeneratedRegex(@"^#r ""\.\./artifacts/notebook/(?:ClipOod\.\w+|SixLabors\.ImageSharp)\.dll""$")]
    private static partial Regex OwnLibrary();
}
