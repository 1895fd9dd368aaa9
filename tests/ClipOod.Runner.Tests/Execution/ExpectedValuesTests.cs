using ClipOod.Runner.Execution;
using ClipOod.Runner.Kernel;

namespace ClipOod.Runner.Tests.Execution;

public sealed class ExpectedValuesTests : IDisposable
{
    private readonly TemporaryWorkbook _workbook = new();

    private string File1 => Path.Combine(_workbook.Expected, "01.json");

    public void Dispose() => _workbook.Dispose();

    private static NotebookRun Declares(params (string Name, double Value, double Tolerance)[] results) => new(
        "01-a", "01-a.dib", "T", "", RunState.Passed, TimeSpan.Zero, [],
        [.. results.Select(result => new ResultCheck(new NumberResult(result.Name, result.Value, result.Tolerance), null, CheckState.New))]);

    private CheckState[] StatesOf(NotebookRun run) => [.. ExpectedValues.Check(run, File1).Results.Select(result => result.State)];

    [Fact]
    public void WithoutAFile_EveryResultIsNew() =>
        Assert.Equal([CheckState.New], StatesOf(Declares(("a", 1, 0))));

    [Fact]
    public void RecordedResults_MatchWithinTheToleranceAndDifferBeyond()
    {
        ExpectedValues.Record(ExpectedValues.Check(Declares(("a", 1, 0.5), ("b", double.NaN, 0), ("c", 2, 0)), File1), File1);

        Assert.Equal([CheckState.Matches, CheckState.Matches, CheckState.Matches], StatesOf(Declares(("a", 1.5, 0.5), ("b", double.NaN, 0), ("c", 2, 0))));
        Assert.Equal([CheckState.Differs, CheckState.Differs, CheckState.Missing], StatesOf(Declares(("a", 1.6, 0.5), ("b", 1, 0))));
        Assert.Equal([CheckState.Matches], StatesOf(Declares(("a", 1, 0.5)) with { State = RunState.Failed }));
    }

    [Fact]
    public void Record_KeepsValuesThatMatch_AndSortsByName()
    {
        ExpectedValues.Record(Declares(("b", 1, 0.5), ("a", 3, 0.1)), File1);
        NotebookRun second = ExpectedValues.Check(Declares(("b", 1.25, 0.5), ("c", 7, 0)), File1);
        ExpectedValues.Record(second, File1);

        Assert.Equal(
            """
            [
              {
                "name": "b",
                "value": 1,
                "tolerance": 0.5
              },
              {
                "name": "c",
                "value": 7,
                "tolerance": 0
              }
            ]

            """.ReplaceLineEndings("\n"),
            File.ReadAllText(File1).ReplaceLineEndings("\n"));
        Assert.Equal(["01.json"], Directory.GetFiles(_workbook.Expected).Select(Path.GetFileName));
    }

    private static NotebookRun DeclaresResults(params DeclaredResult[] results) =>
        Declares() with { Results = [.. results.Select(result => new ResultCheck(result, null, CheckState.New))] };

    [Fact]
    public void MetricsAndVerdicts_AreRecordedWithTheirFields_AndReadBack()
    {
        DeclaredResult[] results =
        [
            new MetricResult("mcm", "A", "near", "auroc", 0, 0.75, 0.01),
            new MetricResult("mcm", "A", null, "accuracy", 0, 0.5, 0.01),
            new VerdictResult("gain", "holds", 0.02, 0.125, 0.0625, 0.25, 300, 0),
            new VerdictResult("none", "cannot be told here", 0),
        ];
        ExpectedValues.Record(DeclaresResults(results), File1);

        Assert.Equal(
            """
            [
              {
                "verdict": "gain",
                "word": "holds",
                "estimate": 0.125,
                "low": 0.0625,
                "high": 0.25,
                "n": 300,
                "margin": 0,
                "tolerance": 0.02
              },
              {
                "detector": "mcm",
                "id": "A",
                "ood": null,
                "metric": "accuracy",
                "seed": 0,
                "value": 0.5,
                "tolerance": 0.01
              },
              {
                "detector": "mcm",
                "id": "A",
                "ood": "near",
                "metric": "auroc",
                "seed": 0,
                "value": 0.75,
                "tolerance": 0.01
              },
              {
                "verdict": "none",
                "word": "cannot be told here",
                "tolerance": 0
              }
            ]

            """.ReplaceLineEndings("\n"),
            File.ReadAllText(File1).ReplaceLineEndings("\n"));
        Assert.All(StatesOf(DeclaresResults(results)), state => Assert.Equal(CheckState.Matches, state));
        Assert.False(ExpectedValues.Record(ExpectedValues.Check(DeclaresResults(results), File1), File1));
    }

    [Fact]
    public void Verdict_DiffersByItsWord_ItsCountAndItsEstimate_NotByItsBounds()
    {
        var recorded = new VerdictResult("gain", "holds", 0.02, 0.125, 0.0625, 0.25, 300, 0);
        ExpectedValues.Record(DeclaresResults(recorded), File1);

        CheckState StateOf(DeclaredResult result) => Assert.Single(StatesOf(DeclaresResults(result)));
        Assert.Equal(CheckState.Matches, StateOf(recorded with { Estimate = 0.14, Low = 0.1 }));
        Assert.Equal(CheckState.Differs, StateOf(recorded with { Word = "undecided" }));
        Assert.Equal(CheckState.Differs, StateOf(recorded with { Estimate = 0.15 }));
        Assert.Equal(CheckState.Differs, StateOf(recorded with { N = 301 }));
        Assert.Equal(CheckState.Differs, StateOf(recorded with { Margin = 0.05 }));
        Assert.Equal(CheckState.Differs, StateOf(new NumberResult("gain", 0.125, 1)));
    }

    [Fact]
    public void Record_OfTheSameResults_LeavesTheFileAlone()
    {
        ExpectedValues.Record(Declares(("a", 1, 0.5)), File1);
        var old = new DateTime(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        File.SetLastWriteTimeUtc(File1, old);

        ExpectedValues.Record(ExpectedValues.Check(Declares(("a", 1.25, 0.5)), File1), File1);

        Assert.Equal(old, File.GetLastWriteTimeUtc(File1));
    }

    [Theory]
    [InlineData("{")]
    [InlineData("""[{"name":"a","value":1,"tolerance":0},{"name":"a","value":2,"tolerance":0}]""")]
    [InlineData("""[{"name":"a","val":1,"tolerance":0}]""")]
    [InlineData("""[{"name":"a","tolerance":0}]""")]
    [InlineData("""[{"name":null,"value":1,"tolerance":0}]""")]
    [InlineData("[null]")]
    [InlineData("[1]")]
    [InlineData("""[{"detector":"a","id":"i","ood":"o","metric":"auroc","value":1,"tolerance":0}]""")]
    [InlineData("""[{"verdict":"a","tolerance":0}]""")]
    public void MalformedFile_IsNamed(string text)
    {
        Directory.CreateDirectory(_workbook.Expected);
        File.WriteAllText(File1, text);

        var error = Assert.Throws<InvalidDataException>(() => ExpectedValues.Check(Declares(), File1));

        Assert.StartsWith(File1 + ": not a file of recorded results: ", error.Message, StringComparison.Ordinal);
    }
}
