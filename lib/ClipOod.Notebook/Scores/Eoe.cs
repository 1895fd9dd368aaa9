using System.Numerics.Tensors;

namespace ClipOod.Notebook;

/// <summary>
/// EOE, envisioned outlier exposure: classes that a language model expects as outliers compete with the ID classes, and the best of them
/// counts against the image.
/// </summary>
/// <remarks>
/// Cao et al. 2024 (arXiv:2406.00806); reference code: tmlr-group/EOE. A substitute in one point: the paper asks a language model for
/// the outlier names of each ID set (500 far ones, or 3 per class near ones); here they are a fixed list that the caller gives.
/// </remarks>
public static class Eoe
{
    /// <summary>max over the classes minus β·max over the outliers, both of one softmax over classes and outliers.</summary>
    /// <param name="idCosines">Cosines of images and classes, shape (N, K), each in [−1, 1].</param>
    /// <param name="outlierCosines">Cosines of the same images and the outlier names, shape (N, L), each in [−1, 1].</param>
    /// <param name="beta">β, at least 0; 0.25 in the paper.</param>
    /// <param name="temperature">T, divides the cosines; 1 in the paper.</param>
    /// <returns>N scores in [−β, 1]; higher = more ID.</returns>
    /// <exception cref="ArgumentException">The numbers of images differ, or a value is no cosine.</exception>
    /// <exception cref="ArgumentOutOfRangeException">β is negative, or the temperature is not greater than 0.</exception>
    public static IdScores Score(Matrix idCosines, Matrix outlierCosines, double beta = 0.25, double temperature = 1)
    {
        Scores.CheckTemperature(temperature);
        NegativeLabels.CheckPair(idCosines, outlierCosines, "EOE", 1 / temperature);
        if (!(beta >= 0) || double.IsInfinity(beta))
        {
            throw new ArgumentOutOfRangeException(nameof(beta), beta, "Expected a finite number of at least 0: it weighs the best outlier.");
        }

        double[] scores = new double[idCosines.Rows];
        for (int i = 0; i < scores.Length; i++)
        {
            double id = TensorPrimitives.Max(idCosines[i]);
            double outlier = TensorPrimitives.Max(outlierCosines[i]);
            double max = Math.Max(id, outlier);
            double sum = Mass(idCosines[i], max, temperature) + Mass(outlierCosines[i], max, temperature);
            scores[i] = (Math.Exp((id - max) / temperature) - (beta * Math.Exp((outlier - max) / temperature))) / sum;
        }

        return new IdScores("EOE", scores);
    }

    private static double Mass(ReadOnlySpan<double> cosines, double max, double temperature)
    {
        double sum = 0;
        foreach (double cosine in cosines)
        {
            sum += Math.Exp((cosine - max) / temperature);
        }

        return sum;
    }

    /// <summary>The detectors of this file, each in its one configuration.</summary>
    internal static IReadOnlyList<Detector> Detectors { get; } =
    [
        new ImageDetector(
            new()
            {
                Key = "eoe",
                Name = "EOE",
                Family = DetectorFamily.ZeroShot,
                Authors = "Cao et al.",
                Title = "Envisioning Outlier Exposure by Large Language Models for Out-of-Distribution Detection",
                Year = 2024,
                Url = new Uri("https://arxiv.org/abs/2406.00806"),
                ReferenceCode = "tmlr-group/EOE",
                Equation = "max over classes of p − β max over outliers of p, p = softmax(s) over both, β = 0.25",
                Needs = DetectorInputs.Features | DetectorInputs.Text | DetectorInputs.OodText,
                Member = "Eoe.Score",
                Notebook = 9,
                Golden = "negative_labels",
                Substitute = "a fixed list of outlier names in place of a language model's",
                Hyperparameters =
                [
                    new("beta", 0.25, 0.25, "the paper's"),
                    new("per-class", 3, 3, "the paper's for near OOD sets"),
                ],
            },
            fit =>
            {
                Embeddings outliers = Nearest(fit.Known, (int)fit["per-class"]).Features;
                return images => Score(fit.Cosines(images), Similarity.Cosines(images.Features, outliers), fit["beta"]);
            }),
    ];

    /// <summary>The words that are nearest to each class, so many for each, every word once.</summary>
    private static TextFeatures Nearest(IdSide known, int perClass)
    {
        Matrix cosines = Similarity.Cosines(known.Text.Features, known.Words.Features);
        return known.Words.Select([.. Enumerable.Range(0, cosines.Rows)
            .SelectMany(k => Enumerable.Range(0, cosines.Columns).OrderByDescending(j => cosines[k, j]).Take(perClass))
            .Distinct()]);
    }
}
