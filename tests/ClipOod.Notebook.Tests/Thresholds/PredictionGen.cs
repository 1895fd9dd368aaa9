using CsCheck;

namespace ClipOod.Notebook.Tests;

/// <summary>Random labelled predictions over 3 classes, with tied entropies and confidences.</summary>
internal static class PredictionGen
{
    public const int Classes = 3;

    public static readonly Gen<Predictions> Labelled = OfSize(1, 40);

    public static Gen<Predictions> OfSize(int least, int most) => Gen.Int[least, most].SelectMany(n => Gen.Select(
        Gen.Int[0, Classes - 1].Array[n],
        Gen.Int[7, 20].Select(v => v / 20.0).Array[n],
        Gen.Int[0, 20].Select(v => v / 20.0).Array[n],
        Gen.Int[0, Classes - 1].Array[n],
        (predicted, confidence, entropy, labels) => new Predictions(Classes, predicted, confidence, entropy, labels)));

    /// <summary>Predictions of which only the entropies matter.</summary>
    public static Predictions OfEntropies(int classes, int[] predicted, double[] entropy, int[]? labels = null) =>
        new(classes, predicted, new double[predicted.Length], entropy, labels);

    /// <summary>Predictions of which only the confidences matter.</summary>
    public static Predictions OfConfidences(int classes, int[] predicted, double[] confidence, int[]? labels = null) =>
        new(classes, predicted, confidence, new double[predicted.Length], labels);
}
