using System.Numerics.Tensors;

namespace ClipOod.Notebook;

/// <summary>
/// Rectified activations: features above a percentile of all training features are cut off there, then the head's energy is taken.
/// </summary>
/// <remarks>
/// Sun et al. 2021 (arXiv:2111.12797); the reference code pools all features of all training images, and so does this.
/// The paper cuts the non-negative features of a ReLU network; CLIP's are of both signs, so that far fewer are cut.
/// </remarks>
public sealed class ReAct
{
    private readonly LinearLogits _head;

    private ReAct(LinearLogits head, double threshold)
    {
        _head = head;
        Threshold = threshold;
    }

    /// <summary>The largest value a feature keeps.</summary>
    public double Threshold { get; }

    /// <summary>Takes the percentile of the training features.</summary>
    /// <param name="train">Training features, shape (N, D).</param>
    /// <param name="weight">The head's weights, shape (K, D); for zero-shot CLIP <c>text.Features.ToMatrix().Scale(Scores.ClipLogitScale)</c>.</param>
    /// <param name="bias">The head's K biases; zeros for zero-shot CLIP.</param>
    /// <param name="percentile">0 to 100, by linear interpolation as numpy's; 90 as in the paper.</param>
    /// <exception cref="ArgumentException">There is no training row, a feature is NaN or infinite, or widths or counts differ.</exception>
    public static ReAct Fit(Embeddings train, Matrix weight, IReadOnlyList<double> bias, double percentile = 90)
    {
        Samples samples = Samples.Of(train);
        samples.CheckTrain(nameof(train));
        if (!(percentile >= 0 && percentile <= 100))
        {
            throw new ArgumentOutOfRangeException(nameof(percentile), percentile, "Expected a percentile from 0 to 100.");
        }

        double threshold = Statistics.Quantile(train.Values.ToArray().Select(value => (double)value), percentile / 100);
        return new ReAct(new LinearLogits(train.Width, weight, bias), threshold);
    }

    /// <summary>The head's energy on the cut features.</summary>
    /// <param name="features">Features to score, shape (M, D).</param>
    /// <returns>M scores in the unit of the logits; higher = more ID.</returns>
    /// <exception cref="ArgumentException">The width is not that of the training features.</exception>
    public IdScores Score(Embeddings features) => new(
        "ReAct",
        Scores.LogSumExp(_head.Apply(Samples.Of(features), row => TensorPrimitives.Min(row, Threshold, row))));

    /// <summary>The detectors of this file, each in its one configuration.</summary>
    internal static IReadOnlyList<Detector> Detectors { get; } =
    [
        new ImageDetector(
            new()
            {
                Key = "react",
                Name = "ReAct",
                Family = DetectorFamily.IdFeatures,
                Authors = "Sun et al.",
                Title = "ReAct: Out-of-distribution Detection With Rectified Activations",
                Year = 2021,
                Url = new Uri("https://arxiv.org/abs/2111.12797"),
                ReferenceCode = "deeplearning-wisc/react",
                Equation = "ln Σ exp(z of min(x, 90th percentile of training features))",
                Needs = DetectorInputs.Features | DetectorInputs.Logits | DetectorInputs.TrainImages,
                Member = "ReAct.Score",
                Notebook = 10,
                Golden = "react",
                Hyperparameters =
                [
                    new("percentile", 90, 90, "the paper's"),
                ],
            },
            fit =>
            {
                ReAct react = Fit(fit.Known.Train.Features, fit.Text.ToMatrix().Scale(fit.Scale), new double[fit.Known.NumClasses], fit["percentile"]);
                return images => react.Score(images.Features);
            }),
    ];
}
