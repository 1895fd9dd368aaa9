using CsCheck;

namespace ClipOod.Notebook.Tests;

public sealed class CalibrationTests
{
    private static readonly Gen<(double[] Confidence, bool[] Correct)> _cases = Gen.Int[1, 40].SelectMany(n =>
        Gen.Select(Gen.Int[0, 60].Select(v => v / 60.0).Array[n], Gen.Bool.Array[n]));

    [Fact]
    public void Calibration_OnTheGoldenCase_AgreesWithTheSpecification()
    {
        Golden golden = Golden.Get("calibration");
        double[] confidence = golden["inputs", "confidence"].Numbers;
        bool[] correct = [.. golden["inputs", "correct"].WholeNumbers.Select(c => c == 1)];
        void Check(string key, double actual) => Golden.AssertClose(golden["expected", key].Number, actual, Golden.ToleranceOfDoubles, $" of {key}");

        Check("ece15", Calibration.Ece(confidence, correct));
        Check("ece10", Calibration.Ece(confidence, correct, bins: 10));
        Check("mce15", Calibration.Mce(confidence, correct));
        Check("brier_binary", Calibration.Brier(confidence, correct));
        Check("aurc", Calibration.Aurc(confidence, correct));
    }

    [Fact]
    public void Bins_HoldEachImageOnce_RightClosed() => Gen.Select(_cases, Gen.Int[1, 20]).Sample((pair, bins) =>
    {
        (double[] confidence, bool[] correct) = pair;
        IReadOnlyList<CalibrationBin> result = Calibration.Bins(confidence, correct, bins);
        Assert.Equal(bins, result.Count);
        Assert.Equal(confidence.Length, result.Sum(b => b.Count));
        foreach (CalibrationBin bin in result)
        {
            int[] members = [.. Enumerable.Range(0, confidence.Length).Where(i =>
                (confidence[i] > bin.Low && confidence[i] <= bin.High) || (bin.Low == 0 && confidence[i] == 0))];
            Assert.Equal(members.Length, bin.Count);
            if (members.Length > 0)
            {
                ScoreGen.AssertClose(members.Average(i => confidence[i]), bin.MeanConfidence);
                ScoreGen.AssertClose(members.Average(i => correct[i] ? 1 : 0), bin.Accuracy);
            }
        }
    });

    [Fact]
    public void Aurc_EqualsTheMeanSelectiveErrorOverCoverages() => _cases.Sample((confidence, correct) =>
    {
        (double, bool Correct)[] ranked = [.. confidence.Zip(correct).OrderByDescending(p => p.First)];
        double expected = Enumerable.Range(1, ranked.Length).Average(k => ranked.Take(k).Count(p => !p.Correct) / (double)k);
        ScoreGen.AssertClose(expected, Calibration.Aurc(confidence, correct));
    });

    [Fact]
    public void Ece_WhenConfidenceEqualsAccuracy_IsZero() =>
        ScoreGen.AssertClose(0, Calibration.Ece([0.75, 0.75, 0.75, 0.75], [true, true, false, true]));

    [Theory]
    [InlineData(1.2)]
    [InlineData(-0.1)]
    [InlineData(double.NaN)]
    public void Calibration_OfAConfidenceThatIsNone_NamesIt(double value) => Assert.Contains(
        "Confidence 1 of 2",
        Assert.Throws<ArgumentException>("confidence", () => Calibration.Brier([0.5, value], [true, false])).Message,
        StringComparison.Ordinal);

    [Fact]
    public void Calibration_OfNoImageOrOfDifferentLengths_Throws()
    {
        Assert.Throws<ArgumentException>("correct", () => Calibration.Ece([], []));
        Assert.Throws<ArgumentException>("correct", () => Calibration.Aurc([0.5], [true, false]));
    }
}
