using CsCheck;

namespace ClipOod.Notebook.Tests;

public sealed class ConfidenceThresholdsTests
{
    private static readonly Golden _golden = Golden.Get("confidence_thresholds");
    private static readonly ClassThresholds _initial = ConfidenceThresholds.Initial(3);
    private static readonly Predictions _validation = Read(_golden["inputs", "validation"], withLabels: true);

    [Theory]
    [InlineData("mean_correct", ConfidenceUpdate.MeanCorrect)]
    [InlineData("ema_half", ConfidenceUpdate.Ema)]
    [InlineData("q05_correct", ConfidenceUpdate.Quantile05Correct)]
    [InlineData("youden", ConfidenceUpdate.Youden)]
    public void Update_OnTheGoldenCase_AgreesWithTheSpecification(string name, ConfidenceUpdate update)
    {
        Assert.Equal(_golden["inputs", "initial"].Numbers, _initial.PerClass);
        ClassThresholds updated = ConfidenceThresholds.Update(_initial, _validation, update);
        Golden.AssertClose(_golden["expected", name].Numbers, updated.PerClass, Golden.ToleranceOfDoubles);
        Assert.Equal([false, false, true], updated.FallbackUsed);
    }

    [Fact]
    public void Update_MeanAll_AveragesRightAndWrong() => Golden.AssertClose(
        [(0.95 + 0.9 + 0.7 + 0.4) / 4, (0.99 + 0.85 + 0.6 + 0.55) / 4, 0.8],
        ConfidenceThresholds.Update(_initial, _validation, ConfidenceUpdate.MeanAll).PerClass,
        Golden.ToleranceOfDoubles);

    [Fact]
    public void Flag_OnTheGoldenOodImages_AgreesWithTheSpecification()
    {
        Predictions ood = Read(_golden["inputs", "ood"]);
        Check("detection_initial", _initial.Flag(ood));
        Check("detection_mean_correct", ConfidenceThresholds.Update(_initial, _validation).Flag(ood));
    }

    [Fact]
    public void Combine_OnTheGoldenCase_AgreesWithTheSpecification()
    {
        Golden input = _golden["inputs", "ensemble"];
        Predictions second = Read(input["model2"], classes: 2);
        EnsembleResult result = Ensemble.Combine(
            Read(input["model1"]),
            ConfidenceThresholds.Update(_initial, _validation),
            second,
            new ClassThresholds(Uncertainty.Confidence, input["thresholds2"].Numbers));
        Assert.Equal(_golden["expected", "ensemble", "winner"].WholeNumbers, result.Winners);
        Check("ensemble", result.Flags);
    }

    [Fact]
    public void Update_Youden_IsTheSmallestOfTheBestSplits() => PredictionGen.Labelled.Sample(validation =>
    {
        ClassThresholds updated = ConfidenceThresholds.Update(_initial, validation, ConfidenceUpdate.Youden);
        for (int c = 0; c < PredictionGen.Classes; c++)
        {
            Predictions own = validation.Select(Enumerable.Range(0, validation.Count).Where(i => validation.Predicted[i] == c));
            if (updated.FallbackUsed[c])
            {
                Assert.True(own.Wrong.All(w => w) || own.Correct.All(r => r));
                continue;
            }

            double[] distinct = [.. own.Confidence.Distinct().Order()];
            double[] candidates = [0, .. distinct.Skip(1).Select((v, i) => (v + distinct[i]) / 2), 1];
            double Youden(double t)
            {
                DetectionResult result = Detection.Evaluate([.. own.Confidence.Select(v => v < t)], own.Wrong);
                return Math.Round(result.DetectionRate - result.FalseAlarmRate, 12);
            }

            double best = candidates.Max(Youden);
            Golden.AssertClose(candidates.First(t => Youden(t) == best), updated.PerClass[c], 1e-15);
        }
    });

    [Fact]
    public void Update_OfBadInput_Throws()
    {
        Predictions none = PredictionGen.OfConfidences(3, [], [], []), ofTwo = PredictionGen.OfConfidences(2, [0], [0.5], [0]);
        ClassThresholds ofEntropy = ClassThresholds.Uniform(Uncertainty.Entropy, 3, 0.5);
        Assert.Throws<ArgumentException>("validation", () => ConfidenceThresholds.Update(_initial, none));
        Assert.Throws<ArgumentException>("validation", () => ConfidenceThresholds.Update(_initial, ofTwo));
        Assert.Throws<ArgumentException>("validation", () => ConfidenceThresholds.Update(ofEntropy, _validation));
        Assert.Throws<InvalidOperationException>(() => ConfidenceThresholds.Update(_initial, PredictionGen.OfConfidences(3, [0], [0.5])));
    }

    private static void Check(string name, bool[] flags)
    {
        Assert.Equal(_golden["expected", name, "flags"].Flags, flags);
        Golden.AssertClose(_golden["expected", name, "rate"].Number, flags.Count(f => f) / (double)flags.Length, Golden.ToleranceOfDoubles);
    }

    private static Predictions Read(Golden set, bool withLabels = false, int classes = 3) => PredictionGen.OfConfidences(
        classes, set["pred"].WholeNumbers, set["conf"].Numbers, withLabels ? set["label"].WholeNumbers : null);
}
