using CsCheck;

namespace ClipOod.Notebook.Tests;

public sealed class DetectionTests
{
    [Fact]
    public void Evaluate_CountsFlagsAndRates()
    {
        DetectionResult result = Detection.Evaluate([true, true, false, false, false], [true, false, true, false, false]);
        Assert.Equal(new DetectionResult(1, 1, 1, 2), result);
        Assert.Equal((0.5, 1 / 3.0, 0.5, 0.5, 0.6), (result.DetectionRate, result.FalseAlarmRate, result.Precision, result.F1, result.Accuracy));
        ScoreGen.AssertClose((0.5 + (2 / 3.0)) / 2, result.BalancedAccuracy);
        ScoreGen.AssertClose(((1 * 2) - (1 * 1)) / Math.Sqrt(2 * 2 * 3 * 3), result.Mcc);
    }

    [Fact]
    public void Mcc_EqualsTheCorrelationOfFlagsAndTruth() =>
        Gen.Int[1, 40].SelectMany(n => Gen.Select(Gen.Bool.Array[n], Gen.Bool.Array[n])).Sample((flags, truth) =>
        {
            double[] x = [.. flags.Select(f => f ? 1.0 : 0)], y = [.. truth.Select(t => t ? 1.0 : 0)];
            double mx = x.Average(), my = y.Average();
            double xy = x.Zip(y, (a, b) => (a - mx) * (b - my)).Sum(), xx = x.Sum(a => (a - mx) * (a - mx)), yy = y.Sum(b => (b - my) * (b - my));
            double expected = xx < 1e-9 || yy < 1e-9 ? 0 : xy / Math.Sqrt(xx * yy);
            Golden.AssertClose(expected, Detection.Evaluate(flags, truth).Mcc, 1e-9);
        });

    [Fact]
    public void EvaluateOod_CountsIdFlagsAsFalseAlarms() =>
        Assert.Equal(new DetectionResult(2, 1, 0, 2), Detection.EvaluateOod([true, false, false], [true, true]));

    [Fact]
    public void Rates_OverNoImage_AreUndefined()
    {
        DetectionResult result = Detection.Evaluate([false, false], [false, false]);
        Assert.Equal((double.NaN, 0, double.NaN, 1, 0), (result.DetectionRate, result.FalseAlarmRate, result.Precision, result.Accuracy, result.Mcc));
        Assert.Matches("Detection rate +–", result.ToString());
    }

    [Fact]
    public void Evaluate_OfBadInput_Throws()
    {
        Assert.Throws<ArgumentException>("shouldFlag", () => Detection.Evaluate([true], [true, false]));
        Assert.Throws<ArgumentException>("shouldFlag", () => Detection.Evaluate([], []));
        Assert.Throws<ArgumentException>("idFlagged", () => Detection.EvaluateOod([], [true]));
        Assert.Throws<ArgumentException>("oodFlagged", () => Detection.EvaluateOod([true], []));
    }
}
