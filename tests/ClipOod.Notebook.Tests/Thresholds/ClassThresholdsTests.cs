using CsCheck;

namespace ClipOod.Notebook.Tests;

public sealed class ClassThresholdsTests
{
    private static readonly Gen<ClassThresholds> _thresholds = Gen.Select(
        Gen.OneOf(Uncertainty.Entropy, Uncertainty.Confidence),
        Gen.Int[0, 20].Select(v => v / 20.0).Array[PredictionGen.Classes],
        (measure, perClass) => new ClassThresholds(measure, perClass));

    [Fact]
    public void Flag_ComparesStrictlyWithTheThresholdOfThePredictedClass()
    {
        var predictions = new Predictions(2, [0, 0, 1, 1], [0.8, 0.6, 0.8, 0.6], [0.3, 0.5, 0.3, 0.5]);
        Assert.Equal([false, true, false, false], new ClassThresholds(Uncertainty.Entropy, [0.3, 0.5]).Flag(predictions));
        Assert.Equal([false, true, true, true], new ClassThresholds(Uncertainty.Confidence, [0.8, 0.9]).Flag(predictions));
    }

    [Fact]
    public void Normalized_IsNegativeExactlyWhereFlagged() => Gen.Select(_thresholds, PredictionGen.Labelled).Sample((thresholds, predictions) =>
    {
        for (int i = 0; i < predictions.Count; i++)
        {
            double threshold = thresholds.PerClass[predictions.Predicted[i]];
            bool expected = thresholds.Measure == Uncertainty.Entropy ? predictions.Entropy[i] > threshold : predictions.Confidence[i] < threshold;
            Assert.Equal(expected, thresholds.Flag(predictions)[i]);
            Assert.Equal(expected, thresholds.Normalized(predictions)[i] < 0);
        }
    });

    [Fact]
    public void AtFalseAlarm_FlagsAtMostTheShareAndAsMuchAsTiesAllow() =>
        Gen.Select(_thresholds, PredictionGen.Labelled, Gen.OneOf(0, 0.05, 0.1, 0.5)).Sample((thresholds, predictions, rate) =>
        {
            ClassThresholds tuned = thresholds.AtFalseAlarm(predictions, rate);
            int allowed = (int)Math.Floor(rate * predictions.Count);
            Assert.InRange(tuned.Flag(predictions).Count(f => f), 0, allowed);

            // The uncertainties are whole multiples of 0.05, so a shift by half of that brings in the next ones.
            double step = tuned.Measure == Uncertainty.Entropy ? -0.025 : 0.025;
            var looser = new ClassThresholds(tuned.Measure, [.. tuned.PerClass.Select(t => t + step)]);
            Assert.True(looser.Flag(predictions).Count(f => f) > allowed);

            // The differences between classes are kept.
            for (int c = 1; c < PredictionGen.Classes; c++)
            {
                Golden.AssertClose(thresholds.PerClass[c] - thresholds.PerClass[0], tuned.PerClass[c] - tuned.PerClass[0], 1e-12);
            }
        });

    [Fact]
    public void AtFalseAlarm_OfSingleThresholds_IsTheSameThreshold() => PredictionGen.Labelled.Sample(predictions =>
    {
        ClassThresholds one = ClassThresholds.Uniform(Uncertainty.Entropy, PredictionGen.Classes, 0.2).AtFalseAlarm(predictions);
        ClassThresholds other = ClassThresholds.Uniform(Uncertainty.Entropy, PredictionGen.Classes, 0.9).AtFalseAlarm(predictions);
        Golden.AssertClose(one.PerClass, other.PerClass, 1e-12);
    });

    [Fact]
    public void MeanThreshold_IsTheSameForEveryClass() =>
        Golden.AssertClose([0.4, 0.4, 0.4], new ClassThresholds(Uncertainty.Entropy, [0.1, 0.2, 0.9]).MeanThreshold().PerClass, 1e-15);

    [Fact]
    public void Thresholds_OfBadInput_Throw()
    {
        ClassThresholds thresholds = ClassThresholds.Uniform(Uncertainty.Entropy, 2, 0.5);
        Predictions ofThree = PredictionGen.OfEntropies(3, [0], [0.1]), none = PredictionGen.OfEntropies(2, [], []);
        Assert.Contains("over 3 classes, expected 2", Assert.Throws<ArgumentException>("predictions", () => thresholds.Flag(ofThree)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>("accepted", () => thresholds.AtFalseAlarm(none));
        Assert.Throws<ArgumentOutOfRangeException>("rate", () => thresholds.AtFalseAlarm(none, 1));
        Assert.Throws<ArgumentException>("perClass", () => new ClassThresholds(Uncertainty.Entropy, [0.5]));
        Assert.Throws<ArgumentException>("perClass", () => new ClassThresholds(Uncertainty.Entropy, [0.5, double.NaN]));
        Assert.Throws<ArgumentException>("perClass", () => new ClassThresholds(Uncertainty.Entropy, [0.5, 0.5], [true]));
    }
}
