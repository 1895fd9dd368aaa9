namespace ClipOod.Notebook.Tests;

public sealed class VerdictTests
{
    [Theory]
    [InlineData(0.1, 0.3, 0, "holds")]
    [InlineData(-0.3, -0.1, 0, "does not hold")]
    [InlineData(-0.1, 0.1, 0, "undecided")]
    [InlineData(0.1, 0.3, 0.2, "undecided")]
    [InlineData(0.1, 0.15, 0.2, "does not hold")]
    [InlineData(0, 0.3, 0, "undecided")]
    public void Judge_ReadsTheIntervalAgainstTheMargin(double low, double high, double margin, string word) =>
        Assert.Equal(word, Verdict.Judge("It gains.", new Interval(low, high, (low + high) / 2), 100, margin).WordText);

    [Theory]
    [InlineData(-0.1, 0.1, "holds")]
    [InlineData(0.21, 0.3, "does not hold")]
    [InlineData(-0.4, -0.3, "does not hold")]
    [InlineData(0.1, 0.3, "undecided")]
    [InlineData(-0.3, 0.3, "undecided")]
    public void JudgeEquivalence_ReadsTheIntervalAgainstBothMargins(double low, double high, string word) =>
        Assert.Equal(word, Verdict.JudgeEquivalence("It is as good.", new Interval(low, high, (low + high) / 2), 100, 0.2).WordText);

    [Fact]
    public void Tolerance_IsAThirdOfTheDistanceAtWhichTheWordChanges_AndAtLeastTheSpread()
    {
        Verdict Of(double low, double high, double spread) => Verdict.Judge("It gains.", new Interval(low, high, 0.4), 100, 0.1, spread);
        Assert.Equal(0.1, Of(0.4, 0.5, 0.02).Tolerance, 12);
        Assert.Equal(VerdictWord.Holds, Of(0.4, 0.5, 0.099).Word);
        Verdict near = Of(0.4, 0.5, 0.101);
        Assert.Equal((VerdictWord.Undecided, 0.101), (near.Word, near.Tolerance));
        Assert.Equal(0.02, Of(0.05, 0.5, 0.02).Tolerance, 12);
        Assert.Equal(0.1, Verdict.JudgeEquivalence("Equal.", new Interval(-0.1, 0.2, 0), 100, 0.5).Tolerance, 12);
    }

    [Fact]
    public void Doubted_KeepsTheEvidence_AndTakesTheWord()
    {
        var verdict = Verdict.Judge("A < B", new Interval(0.1, 0.3, 0.2), 5, 0.05);
        Verdict doubted = verdict.Doubted("seed 3 says otherwise");
        Assert.Equal((VerdictWord.Undecided, "seed 3 says otherwise", verdict.Evidence, verdict.Tolerance), (doubted.Word, doubted.Because, doubted.Evidence, doubted.Tolerance));
        Assert.Same(verdict, verdict.Doubted(null));
        Verdict unknown = Verdict.CannotBeTold("A < B", "no data");
        Assert.Same(unknown, unknown.Doubted("a seed"));
        string table = Verdict.ToTable("Claims", [verdict, unknown]).ToString();
        Assert.Contains("+20.0 [+10.0, +30.0]", table, StringComparison.Ordinal);
        Assert.Contains("no data", table, StringComparison.Ordinal);
    }

    [Fact]
    public void Verdict_SaysItsEvidence_OrWhyThereIsNone()
    {
        var verdict = Verdict.Judge("A < B", new Interval(0.1, 0.3, 0.2), 1200, 0.05, published: 0.034);
        Assert.Equal("A < B: holds (0.2000 [0.1000, 0.3000], n = 1,200, smallest difference that matters 0.05, published 0.034; mechanism, no claim in print)", verdict.ToString());
        string html = verdict.ToHtml();
        Assert.Contains("A &lt; B", html, StringComparison.Ordinal);
        Assert.Contains("</span> holds</b>", html, StringComparison.Ordinal);
        Assert.Equal(
            "A beats B: cannot be told here (because no image reached the memory; mechanism, no claim in print)",
            Verdict.CannotBeTold("A beats B", "no image reached the memory").ToString());
    }

    [Fact]
    public void Judge_OfNonsense_Throws()
    {
        var good = new Interval(0, 1, 0.5);
        Assert.Throws<ArgumentException>("difference", () => Verdict.Judge("c", new Interval(1, 0, 0.5), 10));
        Assert.Throws<ArgumentException>("difference", () => Verdict.Judge("c", new Interval(double.NaN, 0, 0.5), 10));
        Assert.Throws<ArgumentException>("margin", () => Verdict.Judge("c", good, 10, double.NaN));
        Assert.Throws<ArgumentException>("margin", () => Verdict.Judge("c", good, 10, published: double.PositiveInfinity));
        Assert.Throws<ArgumentOutOfRangeException>("count", () => Verdict.Judge("c", good, 0));
        Assert.Throws<ArgumentOutOfRangeException>("spread", () => Verdict.Judge("c", good, 10, spread: -1));
        Assert.Throws<ArgumentOutOfRangeException>("margin", () => Verdict.JudgeEquivalence("c", good, 10, 0));
        Assert.Throws<ArgumentException>("claim", () => Verdict.Judge(" ", good, 10));
        Assert.Throws<ArgumentException>("because", () => Verdict.CannotBeTold("c", ""));
    }
}
