using ClipOod.Runner.Execution;
using ClipOod.Runner.Kernel;

namespace ClipOod.Runner.Tests.Execution;

public sealed class RecordedElsewhereTests : IDisposable
{
    private readonly TemporaryWorkbook _workbook = new();

    public void Dispose() => _workbook.Dispose();

    [Fact]
    public void Findings_OfTwoWorlds_SayWhereTheyDisagree()
    {
        DeclaredResult[] here =
        [
            Verdict("both", "holds", 0.2), Verdict("turned", "holds", 0.2), Verdict("told there", "cannot be told here", 0.2), Verdict("told here", "undecided", 0.1),
            Metric("a", 0.9), Metric("b", 0.8), Metric("c", 0.7), new NumberResult("n", 1, 0.1), new NumberResult("only here", 1, 0),
        ];
        DeclaredResult[] there =
        [
            Verdict("both", "holds", 0.1), Verdict("turned", "does not hold", -0.2), Verdict("told there", "does not hold", -0.2), Verdict("told here", "cannot be told here"),
            Metric("a", 0.6), Metric("b", 0.8), Metric("c", 0.5), new NumberResult("n", 1.05, 0.1), new NumberResult("only there", 1, 0),
        ];

        Assert.Equal(
            [
                "8 of 9 results are recorded in the world other too; 1 recorded there have no counterpart here.",
                "Told in other only: “told there” (does not hold).",
                "Told here only: “told here” (undecided).",
                "The verdict differs: “turned” (holds here, does not hold there).",
                "The sign of the difference differs: “turned”, “told there”.",
                "1 of 3 orders of two detectors on the same sets differ, such as that of a and b on A → near (auroc).",
            ],
            Of(there).Findings(here));
        Assert.Equal(
            ["same verdict", "verdict differs, other sign", "told in one world, other sign", "told in one world", "differs by −0.3", "same within the tolerance", "differs by −0.2", "same within the tolerance"],
            here.Zip(there, (a, b) => a.Beside(b)).Take(8));
        Assert.Equal("not comparable", here[0].Beside(there[7]));
    }

    [Fact]
    public void Findings_WhereAllAgrees_SaySo() => Assert.Equal(
        [
            "3 of 3 results are recorded in the world other too.",
            "All 1 orders of two detectors on the same sets are the same.",
            "No verdict that both tell, and no difference, points the other way.",
        ],
        Of([Verdict("both", "holds", 0.1), Metric("a", 0.6), Metric("b", 0.5)]).Findings([Verdict("both", "holds", 0.2), Metric("a", 0.9), Metric("b", 0.8)]));

    [Theory]
    [InlineData(null, "Nothing is recorded in the world other: clipood run --world other --only 03 --record")]
    [InlineData("[]", "Nothing is recorded in the world other: clipood run --world other --only 03 --record")]
    [InlineData("{", "What is recorded in the world other is of another version or broken")]
    [InlineData("""{ "version": 2, "results": [] }""", "What is recorded in the world other is of another version or broken")]
    [InlineData("""[{ "name": "n", "value": 1, "tolerance": 0, "unit": "nats" }]""", "What is recorded in the world other is of another version or broken")]
    public void Load_OfWhatIsMissingOrOfAnotherVersion_SaysSo(string? json, string problem)
    {
        if (json is not null)
        {
            File.WriteAllText(Path.Combine(_workbook.Notebooks, "03.json"), json);
        }

        RecordedElsewhere other = RecordedElsewhere.Load("other", _workbook.Notebooks, Notebook("# 03"));

        Assert.StartsWith(problem, Assert.Single(other.Findings([new NumberResult("n", 1, 0)])), StringComparison.Ordinal);
        Assert.Empty(other.Results);
    }

    [Fact]
    public void Load_OfANotebookForOtherWorlds_SaysSo() => Assert.Equal(
        "This notebook does not run in the world other.", RecordedElsewhere.Load("other", _workbook.Notebooks, Notebook("# 03\n\n**Worlds:** `one`")).Problem);

    private NotebookFile Notebook(string markdown) => NotebookFile.Load(_workbook.Add("03-test", $"#!markdown\n\n{markdown}\n"));

    private static RecordedElsewhere Of(DeclaredResult[] there) => new("other", there.ToDictionary(result => result.Key), null);

    private static VerdictResult Verdict(string key, string word, double? estimate = null) => new(key, word, 0.01, estimate);

    private static MetricResult Metric(string detector, double value) => new(detector, "A", "near", "auroc", 0, value, 0.01);
}
