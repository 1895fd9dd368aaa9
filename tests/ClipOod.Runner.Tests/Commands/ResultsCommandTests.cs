using System.Text.Json;
using System.Text.RegularExpressions;
using ClipOod.Notebook;
using ClipOod.Runner.Execution;
using static ClipOod.Runner.Tests.Commands.Invocation;

namespace ClipOod.Runner.Tests.Commands;

public sealed partial class ResultsCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Results_OfEveryKind_AreARowEach()
    {
        string expected = Directory.CreateDirectory(_folder.PathOf("expected")).FullName;
        Directory.CreateDirectory(Path.Combine(expected, "w"));
        File.WriteAllText(Path.Combine(expected, "w", "09.json"), """
            [
              { "name": "a, \"b\"", "value": "NaN", "tolerance": 0 },
              { "detector": "mcm", "id": "A", "ood": "near", "metric": "auroc", "seed": 1, "value": 0.1, "tolerance": 0.02 },
              { "verdict": "x beats y", "word": "holds", "tolerance": 0.01, "estimate": 0.2, "low": 0.1, "high": 0.3, "n": 7, "margin": 0, "source": "a paper" }
            ]
            """);
        string csv = _folder.PathOf("r.csv"), json = _folder.PathOf("r.json");

        var (code, output, error) = await InvokeAsync("results", "--expected", expected, "--csv", csv, "--json", json);

        Assert.Equal((0, ""), (code, error));
        Assert.Matches(@"w +│ 1 +│ 1 +│ 1 +│ 1", output);
        Assert.Equal(
        [
            "world,notebook,kind,name,detector,id,ood,metric,seed,value,tolerance,word,low,high,n,margin,source",
            "w,09,number,\"a, \"\"b\"\"\",,,,,,NaN,0,,,,,,",
            "w,09,metric,mcm · A → near · auroc · seed 1,mcm,A,near,auroc,1,0.1,0.02,,,,,,",
            "w,09,verdict,x beats y,,,,,,0.2,0.01,holds,0.1,0.3,7,0,a paper",
        ], File.ReadAllLines(csv));
        JsonElement[] rows = [.. JsonDocument.Parse(File.ReadAllText(json)).RootElement.EnumerateArray()];
        Assert.Equal("NaN", rows[0].GetProperty("value").GetString());
        Assert.False(rows[0].TryGetProperty("detector", out _));
        Assert.Equal((1, 0.1), (rows[1].GetProperty("seed").GetInt32(), rows[1].GetProperty("value").GetDouble()));
        Assert.Equal("holds", rows[2].GetProperty("word").GetString());
    }

    [Fact]
    public async Task Results_OfTheRepository_AreAllOfThem()
    {
        string csv = _folder.PathOf("r.csv");

        Assert.Equal(0, (await InvokeAsync("results", "--csv", csv)).Code);

        int recorded = Directory.GetFiles(Path.Combine(Repository.Root, "notebooks", "expected"), "*.json", SearchOption.AllDirectories)
            .Sum(file => ExpectedValues.Load(file).Count);
        Assert.Equal(recorded + 1, File.ReadAllLines(csv).Length);
    }

    [Fact]
    public async Task Bibliography_HasEveryDetectorOnce_AndEveryPaperOnce()
    {
        string path = _folder.PathOf("r.bib");

        Assert.Equal(0, (await InvokeAsync("results", "--bibtex", path)).Code);

        string text = File.ReadAllText(path);
        string[] keys = [.. EntryKey().Matches(text).Select(match => match.Groups[1].Value)];
        Assert.Equal(DetectorCatalog.All.Select(detector => detector.Card.Url).Distinct().Count(), keys.Distinct().Count());
        Assert.Equal(keys.Length, keys.Distinct().Count());
        Assert.Equal(
            DetectorCatalog.All.Select(detector => detector.Card.Key).Order(StringComparer.Ordinal),
            Keywords().Matches(text).SelectMany(match => match.Groups[1].Value.Split(", ")).Order(StringComparer.Ordinal));
        Assert.Equal(text.Count(letter => letter == '{'), text.Count(letter => letter == '}'));
        Assert.Contains("""
            @misc{ming2022-2211.13445,
              author = {Ming and others},
              title = {{Delving into Out-of-Distribution Detection with Vision-Language Representations}},
              year = {2022},
              eprint = {2211.13445},
              archiveprefix = {arXiv},
              url = {https://arxiv.org/abs/2211.13445},
              note = {Code: \url{https://github.com/deeplearning-wisc/MCM}},
              keywords = {mcm},
              ids = {mcm}
            }
            """.ReplaceLineEndings("\n"), text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task BadInput_Gives2_AndWritesNothing()
    {
        string csv = _folder.PathOf("r.csv"), world = Directory.CreateDirectory(_folder.PathOf("expected/w")).FullName;
        File.WriteAllText(Path.Combine(world, "01.json"), "[");

        await AssertRefusedAsync("01.json: not a file of recorded results", "--expected", _folder.PathOf("expected"));
        await AssertRefusedAsync("holds no recorded results", "--expected", world);
        await AssertRefusedAsync("holds no recorded results", "--expected", _folder.PathOf("none"));
        await AssertRefusedAsync("is a folder, expected a file", "--json", world);
        await AssertRefusedAsync("is the file of --csv too", "--json", csv);

        async Task AssertRefusedAsync(string says, params string[] arguments)
        {
            var (code, output, error) = await InvokeAsync(["results", "--csv", csv, .. arguments]);

            Assert.Equal((2, ""), (code, output));
            Assert.Contains(says, error, StringComparison.Ordinal);
            Assert.False(File.Exists(csv));
        }
    }

    [Fact]
    public void CitationFile_NamesThisProject()
    {
        string[] lines = File.ReadAllLines(Path.Combine(Repository.Root, "CITATION.cff"));

        Assert.All(["cff-version: 1.2.0", "type: software", "license: MIT", "authors:"], line => Assert.Contains(line, lines));
        Assert.Contains("The ClipOod authors", File.ReadAllText(Path.Combine(Repository.Root, "LICENSE")), StringComparison.Ordinal);
        Assert.Contains("  - name: The ClipOod authors", lines);
        Assert.StartsWith($"title: \"{File.ReadLines(Path.Combine(Repository.Root, "README.md")).First().TrimStart('#', ' ')}", lines.Single(line => line.StartsWith("title:", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [GeneratedRegex(@"^@misc\{(.+),$", RegexOptions.Multiline)]
    private static partial Regex EntryKey();

    [GeneratedRegex(@"keywords = \{(.+)\}")]
    private static partial Regex Keywords();
}
