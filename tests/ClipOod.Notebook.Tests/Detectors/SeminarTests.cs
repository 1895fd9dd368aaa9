namespace ClipOod.Notebook.Tests;

/// <summary>Document A's recipe, thresholds and tables.</summary>
public sealed class SeminarTests
{
    private static readonly Bench _bench = ToyWorld.Make().Bench("A");
    private static readonly HeadOptions _fast = HeadOptions.Seminar with { LearningRate = 0.5, Epochs = 8, Momentum = 0.9 };

    [Fact]
    public void Head_KeepsThresholdsOfEveryEpoch()
    {
        var head = ThresholdedHead.Train(_bench.Known, _fast);
        Assert.Equal(_fast.Epochs, head.Validation.Count);
        IReadOnlyList<ClassThresholds> all = head.Follow();
        Assert.Equal(_fast.Epochs + 1, all.Count);
        Assert.All(all[0].PerClass, threshold => Assert.Equal(0.8, threshold));
        Assert.Equal(ConfidenceThresholds.Update(all[^2], head.Validation[^1]).PerClass, head.Thresholds.PerClass);
        Assert.Equal(head.Head.Logits(_bench.Test.Features).ArgMax(), head.Predict(_bench.Test).Predicted);
        Assert.NotNull(head.Predict(_bench.Test).Labels);
        Assert.Null(head.Predict(_bench.Ood["near"].Images).Labels);
        Assert.Equal(head.Thresholds.Flag(head.Predict(_bench.Test)), head.Score(_bench.Test).Select(margin => margin < 0));
    }

    [Fact]
    public void Detect_CountsOwnAndForeignImages()
    {
        var head = ThresholdedHead.Train(_bench.Known, _fast);
        FeatureSet ood = _bench.Ood["near"].Images;
        DetectionResult result = head.Detect(_bench.Test, ood);
        Assert.Equal(_bench.Test.Count, result.FalsePositives + result.TrueNegatives);
        Assert.Equal(head.Score(ood).Count(margin => margin < 0), result.TruePositives);
        DetectionResult nothing = head.Detect(_bench.Test, ood, ConfidenceThresholds.Initial(ToyWorld.Classes, 0));
        Assert.Equal((0, 0), (nothing.TruePositives, nothing.FalsePositives));
        Assert.Throws<ArgumentException>("validation", () => ThresholdedHead.Train(_bench.Test, ood, _fast));
    }

    [Fact]
    public void Pair_IsTheEnsembleOfItsHeads()
    {
        HeadPair pair = new(ThresholdedHead.Train(_bench.Known, _fast), ThresholdedHead.Train(_bench.Known, _fast with { Seed = 1 }));
        FeatureSet ood = _bench.Ood["near"].Images;
        EnsembleResult alone = Ensemble.Combine(
            pair.First.Predict(ood), pair.First.Thresholds, pair.Second.Predict(ood), pair.Second.Thresholds);
        Assert.Equal(alone.Scores, pair.Judge(ood).Scores);
        var (id, strange) = pair.Score(_bench.Test, ood);
        Assert.Equal((_bench.Test.Count, ood.Count), (id.Count, strange.Count));
        Assert.Equal(alone.Scores, strange);
        Assert.Equal(strange.Count(score => score < 0), pair.Detect(_bench.Test, ood).TruePositives);
    }

    [Fact]
    public void ChooseRecipe_TakesTheBestOnValidationImages_AndTheFirstOfEqualOnes()
    {
        HeadOptions idle = HeadOptions.Seminar with { LearningRate = 1e-9, Epochs = 1 };
        Assert.Same(_fast, Seminar.ChooseRecipe([_bench], [idle, _fast]));
        Assert.Same(_fast, Seminar.ChooseRecipe([_bench], [_fast, _fast with { }]));
    }

    [Fact]
    public void SameSteps_AreThoseOfTheSlide()
    {
        HeadOptions options = Seminar.SameSteps(_bench);
        Assert.Equal(31_250, options.Epochs * options.StepsPerEpoch(_bench.Known.Train.Count), 3.0);
        Assert.Equal(HeadOptions.Seminar, options with { Epochs = HeadOptions.Seminar.Epochs });
        Assert.Equal([1, 1, 2], new[] { 1, 16, 17 }.Select(HeadOptions.Seminar.StepsPerEpoch));
    }

    [Fact]
    public void Slides_AreThoseOfTheDocument()
    {
        Assert.Equal([("an image predicted cat, certain", 0.119, 0.846), ("a bird predicted ship, uncertain", 0.856, 0.297)],
            Seminar.Examples.Select(e => (e.Image, Math.Round(e.Entropy, 6), Math.Round(e.Threshold, 6))));
        Assert.Equal([77.9, 45.6, 52.9], Seminar.Entropy("A", mistakes: true).Select(row => row.Percent));
        Assert.Equal([89.4, 47.5, 75.1], Seminar.Entropy("B", mistakes: false).Select(row => row.Percent));
        Assert.All(
            Published.All.Where(row => row.Flagged is not null),
            row => Assert.Equal(row.Percent, 100.0 * row.Flagged!.Value / row.Images!.Value, 0.0051));
        Assert.Equal(19132, Seminar.Detection("A", "B").Flagged);
        Assert.Equal(88.38, Seminar.Ensemble("B", "C", "A").Percent);
        Assert.Equal(80_800, Seminar.Accuracy("linear-head", "B", "train").Images);
        Assert.Throws<ArgumentException>("role", () => Seminar.DataSet("Large"));
    }

    [Fact]
    public void Table_HasTheSlidesColumns_AndThePrice()
    {
        string text = Seminar.Table("Flagged", [("A → B", new DetectionResult(9, 1, 1, 3))], [Seminar.Detection("A", "B")]).ToString();
        Assert.Contains("90.00", text, StringComparison.Ordinal);
        Assert.Contains("25.00", text, StringComparison.Ordinal);
        Assert.Contains("document A: CIFAR10 → Food101", text, StringComparison.Ordinal);
        Assert.Contains("20,200", text, StringComparison.Ordinal);
        Assert.Contains("not printed", text, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>("rows", () => Seminar.Table("Flagged", [], []));
        string accuracy = Seminar.AccuracyTable([("zero-shot", "test", [0.5, 0.25, 0.125])]).ToString();
        Assert.Contains("12.50", accuracy, StringComparison.Ordinal);
        Assert.Contains("62.08", accuracy, StringComparison.Ordinal);
    }

    [Fact]
    public void Against_LeavesOutItselfAndWhatItKnows()
    {
        World world = ToyWorld.Make();
        Assert.Empty(world.Bench("A").Against([world.Bench("A"), world.Bench("A", allClasses: true)]));
    }

    [Fact]
    public void Cards_SayWhatIsDecided()
    {
        Predictions predictions = new(ToyWorld.Classes, [.. _bench.Test.Labels], [.. _bench.Test.Labels.Select(_ => 0.5)], [.. _bench.Test.Labels.Select(_ => 0.9)]);
        string Card(Uncertainty measure, double limit) => DecisionCards.Of(
            _bench.Test, predictions, ClassThresholds.Uniform(measure, ToyWorld.Classes, limit), _bench.Id.Classes, [0]).ToString();
        Assert.Contains("✓ certain", Card(Uncertainty.Entropy, 1), StringComparison.Ordinal);
        Assert.Contains("✗ uncertain", Card(Uncertainty.Entropy, 0.5), StringComparison.Ordinal);
        Assert.Contains("✗ uncertain", Card(Uncertainty.Confidence, 0.8), StringComparison.Ordinal);
        Assert.Throws<ArgumentException>("rows", () => DecisionCards.Of(
            _bench.Test, predictions, ClassThresholds.Uniform(Uncertainty.Entropy, ToyWorld.Classes, 1), _bench.Id.Classes, []));
    }

    [Fact]
    public void Deal_GivesPartsOfTheSameSize_WithoutAnImageTwice()
    {
        Dataset set = _bench.Id;
        var (train, validation, test) = set.Deal(1);
        Assert.Equal((set.Train.Count, set.Validation.Count, set.Test.Count), (train.Count, validation.Count, test.Count));
        static string Key(FeatureSet x, int i) => string.Join(",", x.Features[i].ToArray());
        string[] rows = [.. new[] { train, validation, test }.SelectMany(x => Enumerable.Range(0, x.Count).Select(i => Key(x, i)))];
        Assert.Distinct(rows);
        Assert.Equal(set.Deal(1).Test.Features.Values.ToArray(), test.Features.Values.ToArray());
        Assert.NotEqual(set.Deal(2).Test.Features.Values.ToArray(), test.Features.Values.ToArray());
    }

    [Fact]
    public void Join_NumbersTheOthersClassesBehindItsOwn()
    {
        FeatureSet joined = _bench.Test.Join(_bench.Ood["noise"].Images);
        Assert.Equal(_bench.Test.Count + _bench.Ood["noise"].Images.Count, joined.Count);
        Assert.Equal("static", joined.ClassOf(joined.Count - 1));
        Assert.Equal(_bench.Test.ClassOf(0), joined.ClassOf(0));
        Assert.Equal(ToyWorld.Classes + 1, joined.NumClasses);
    }
}
