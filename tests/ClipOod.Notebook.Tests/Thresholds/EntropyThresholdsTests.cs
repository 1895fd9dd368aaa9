using CsCheck;

namespace ClipOod.Notebook.Tests;

public sealed class EntropyThresholdsTests
{
    private static readonly Golden _golden = Golden.Get("entropy_thresholds");
    private static readonly Predictions _validation = Read("validation");
    private static readonly Predictions _test = Read("test");

    public static TheoryData<string, ThresholdRule> Rules => new()
    {
        { "youden", ThresholdRule.Youden },
        { "f1", ThresholdRule.F1 },
        { "accuracy", ThresholdRule.Accuracy },
        { "mean_all", ThresholdRule.MeanAll },
        { "mean_correct", ThresholdRule.MeanCorrect },
        { "midpoint", ThresholdRule.Midpoint },
        { "q95_correct", ThresholdRule.Quantile95Correct },
    };

    [Theory]
    [MemberData(nameof(Rules))]
    public void Fit_OnTheGoldenCase_AgreesWithTheSpecification(string name, ThresholdRule rule)
    {
        Golden expected = _golden["expected", "rules", name];
        ClassThresholds thresholds = EntropyThresholds.Fit(_validation, rule);
        Golden.AssertClose(expected["class_thresholds"].Numbers, thresholds.PerClass, Golden.ToleranceOfDoubles);
        Golden.AssertClose(
            expected["global_threshold"].Number, EntropyThresholds.FitGlobal(_validation, rule).PerClass[0], Golden.ToleranceOfDoubles);
        if (expected.Names.Contains("fallback_used"))
        {
            Assert.Equal(expected["fallback_used"].Flags, thresholds.FallbackUsed);
        }
    }

    [Theory]
    [InlineData("youden", ThresholdRule.Youden)]
    [InlineData("f1", ThresholdRule.F1)]
    [InlineData("accuracy", ThresholdRule.Accuracy)]
    public void GridSearch_OnTheGoldenCase_AgreesWithTheSpecification(string name, ThresholdRule rule)
    {
        Golden expected = _golden["expected", "grid_search", name];
        ClassThresholds thresholds = EntropyThresholds.GridSearch(_validation, rule);
        Golden.AssertClose(expected["threshold"].Number, thresholds.PerClass[0], Golden.ToleranceOfDoubles);
        Golden.AssertClose(
            expected["objective"].Number, Objective(Detection.Evaluate(thresholds.Flag(_validation), _validation.Wrong), rule), Golden.ToleranceOfDoubles);
    }

    [Fact]
    public void Variants_OnTheGoldenTestSet_AgreeWithTheSpecification()
    {
        ClassThresholds classwise = EntropyThresholds.Fit(_validation);
        Check("classwise", classwise);
        Check("mean_of_classwise", classwise.MeanThreshold());
        Check("grid_single_youden", EntropyThresholds.GridSearch(_validation));

        static void Check(string variant, ClassThresholds thresholds)
        {
            Golden expected = _golden["expected", "test_evaluation", variant];
            if (expected.Names.Contains("threshold"))
            {
                Golden.AssertClose(expected["threshold"].Number, thresholds.PerClass[0], Golden.ToleranceOfDoubles);
            }

            Assert.Equal(expected["flags"].Flags, thresholds.Flag(_test));
            DetectionResult result = Detection.Evaluate(thresholds.Flag(_test), _test.Wrong);
            Golden metrics = expected["metrics"];
            Assert.Equal(
                (metrics["tp"].WholeNumber, metrics["fp"].WholeNumber, metrics["fn"].WholeNumber, metrics["tn"].WholeNumber),
                (result.TruePositives, result.FalsePositives, result.FalseNegatives, result.TrueNegatives));
            Golden.AssertClose(
                [.. new[] { "detection_rate_recall", "false_alarm_rate", "precision", "f1", "accuracy", "balanced_accuracy", "mcc" }.Select(key => metrics[key].Number)],
                [result.DetectionRate, result.FalseAlarmRate, result.Precision, result.F1, result.Accuracy, result.BalancedAccuracy, result.Mcc],
                Golden.ToleranceOfDoubles);
        }
    }

    [Theory]
    [InlineData(ThresholdRule.Youden)]
    [InlineData(ThresholdRule.F1)]
    [InlineData(ThresholdRule.Accuracy)]
    public void FitGlobal_IsTheLargestOfTheBestCandidates(ThresholdRule rule) => PredictionGen.Labelled.Sample(validation =>
    {
        double[] distinct = [.. validation.Entropy.Distinct().Order()];
        double[] candidates = [0, .. distinct.Skip(1).Select((v, i) => (v + distinct[i]) / 2), Math.Log(PredictionGen.Classes)];
        double Of(double threshold)
        {
            bool[] flags = ClassThresholds.Uniform(Uncertainty.Entropy, PredictionGen.Classes, threshold).Flag(validation);
            return Math.Round(Objective(Detection.Evaluate(flags, validation.Wrong), rule), 12);
        }

        double best = candidates.Max(Of);
        Assert.Equal(candidates.Last(c => Of(c) == best), EntropyThresholds.FitGlobal(validation, rule).PerClass[0]);
    });

    [Fact]
    public void Fit_OfAClass_LooksOnlyAtThePredictionsOfThatClass() => PredictionGen.Labelled.Sample(validation =>
    {
        ClassThresholds thresholds = EntropyThresholds.Fit(validation);
        for (int c = 0; c < PredictionGen.Classes; c++)
        {
            Predictions own = validation.Select(Enumerable.Range(0, validation.Count).Where(i => validation.Predicted[i] == c));
            bool enough = own.Count >= 2 && own.Wrong.Any(w => w) && own.Correct.Any(r => r);
            Assert.Equal(!enough, thresholds.FallbackUsed[c]);
            Assert.Equal(EntropyThresholds.FitGlobal(enough ? own : validation).PerClass[0], thresholds.PerClass[c]);
        }
    });

    [Theory]
    [InlineData(ThresholdRule.Youden)]
    [InlineData(ThresholdRule.F1)]
    [InlineData(ThresholdRule.Accuracy)]
    public void Fit_WhenNothingIsWrong_FlagsNothing(ThresholdRule rule)
    {
        Predictions validation = PredictionGen.OfEntropies(2, [0, 1, 1], [0.6, 0.1, 0.69], [0, 1, 1]);
        Assert.Equal([Math.Log(2), Math.Log(2)], EntropyThresholds.Fit(validation, rule).PerClass);
    }

    [Fact]
    public void Fit_WhenARuleIsUndefined_SaysWhatIsMissing()
    {
        Predictions allRight = PredictionGen.OfEntropies(2, [0], [0.6], [0]), allWrong = PredictionGen.OfEntropies(2, [0], [0.6], [1]);
        Assert.Contains("Midpoint needs both", Throws(allRight, ThresholdRule.Midpoint), StringComparison.Ordinal);
        Assert.Contains("1 of 1 validation predictions are wrong", Throws(allWrong, ThresholdRule.MeanCorrect), StringComparison.Ordinal);

        static string Throws(Predictions validation, ThresholdRule rule) =>
            Assert.Throws<ArgumentException>(nameof(validation), () => EntropyThresholds.Fit(validation, rule)).Message;
    }

    [Fact]
    public void Fit_OfNoValidation_Throws()
    {
        Predictions none = PredictionGen.OfEntropies(2, [], [], []);
        Assert.Throws<ArgumentException>("validation", () => EntropyThresholds.Fit(none));
        Assert.Throws<ArgumentException>("validation", () => EntropyThresholds.GridSearch(none));
    }

    [Fact]
    public void GridSearch_ByARuleWithoutObjective_NamesThoseThatHaveOne() => Assert.Contains(
        "Youden, F1 or Accuracy",
        Assert.Throws<ArgumentOutOfRangeException>("rule", () => EntropyThresholds.GridSearch(_validation, ThresholdRule.MeanAll)).Message,
        StringComparison.Ordinal);

    private static double Objective(DetectionResult result, ThresholdRule rule)
    {
        // A rate over no image contributes nothing.
        static double Rate(double value) => double.IsNaN(value) ? 0 : value;
        return rule switch
        {
            ThresholdRule.Youden => Rate(result.DetectionRate) - Rate(result.FalseAlarmRate),
            ThresholdRule.F1 => Rate(result.F1),
            _ => result.Accuracy,
        };
    }

    private static Predictions Read(string set)
    {
        Golden input = _golden["inputs", set];
        return PredictionGen.OfEntropies(
            _golden["inputs", "num_classes"].WholeNumber, input["pred"].WholeNumbers, input["entropy"].Numbers, input["label"].WholeNumbers);
    }
}
