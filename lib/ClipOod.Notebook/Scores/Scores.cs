using System.Globalization;
using System.Numerics.Tensors;

namespace ClipOod.Notebook;

/// <summary>
/// The training-free detector scores, pure functions of logits, cosines or probabilities of shape (N, K): N images, K classes.
/// Every function returns ID-high <see cref="IdScores"/>, or says that it does not.
/// </summary>
/// <remarks>
/// CLIP's logits are <see cref="ClipLogitScale"/> times the cosines of unit-norm image and text features:
/// <c>Similarity.Cosines(images, texts).Scale(Scores.ClipLogitScale)</c>. Which of the two a score takes is its parameter's name.
/// </remarks>
public static partial class Scores
{
    /// <summary>
    /// The factor from cosines to logits in the released CLIP models: exp of the learnt logit scale, at its training cap of ln 100.
    /// </summary>
    /// <remarks>Radford et al. 2021 (arXiv:2103.00020), section 2.5.</remarks>
    public const double ClipLogitScale = 100;

    /// <summary>The softmax of each row: exp(z/T) divided by the row's sum, after subtracting the row's maximum.</summary>
    /// <param name="logits">Shape (N, K).</param>
    /// <param name="temperature">T, divides the logits; greater than 0.</param>
    /// <returns>Shape (N, K); every row sums to 1.</returns>
    public static Matrix Softmax(Matrix logits, double temperature = 1)
    {
        ArgumentNullException.ThrowIfNull(logits);
        CheckTemperature(temperature);
        double[] result = new double[logits.Values.Length];
        for (int i = 0; i < logits.Rows; i++)
        {
            Span<double> row = result.AsSpan(i * logits.Columns, logits.Columns);
            TensorPrimitives.Subtract(logits[i], Max(logits[i]), row);
            TensorPrimitives.Divide(row, temperature, row);
            TensorPrimitives.Exp(row, row);
            TensorPrimitives.Divide(row, TensorPrimitives.Sum<double>(row), row);
        }

        return new Matrix(logits.Rows, logits.Columns, result);
    }

    /// <summary>ln Σ exp(z) of each row, computed with the row's maximum subtracted.</summary>
    /// <param name="logits">Shape (N, K).</param>
    /// <returns>N values, each at least the row's maximum and at most ln K above it.</returns>
    internal static double[] LogSumExp(Matrix logits) => [.. PerRow(logits, LogSumExp)];

    /// <summary>Maximum softmax probability, max p with p = softmax(z).</summary>
    /// <param name="logits">Logits of shape (N, K); for CLIP the cosines times <see cref="ClipLogitScale"/>.</param>
    /// <returns>N scores in [1/K, 1]; higher = more ID.</returns>
    /// <remarks>Hendrycks &amp; Gimpel 2017 (arXiv:1610.02136). On cosines at scale 100 it equals <see cref="Mcm"/> at T = 0.01.</remarks>
    public static IdScores Msp(Matrix logits) => new("MSP", MaxProbability(logits, 1));

    /// <summary>Maximum concept matching, max p with p = softmax(s/T) of the unscaled cosines s.</summary>
    /// <param name="cosines">Cosines of shape (N, K), each in [−1, 1], not multiplied by the logit scale.</param>
    /// <param name="temperature">T, divides the cosines; 1 in the paper.</param>
    /// <returns>N scores in [1/K, 1]; higher = more ID.</returns>
    /// <exception cref="ArgumentException">A value is no cosine, as it lies outside [−1, 1].</exception>
    /// <remarks>
    /// Ming et al. 2022 (arXiv:2211.13445); reference code: deeplearning-wisc/MCM, utils/detection_util.py.
    /// As T grows, it ranks images as the largest minus the mean cosine does.
    /// </remarks>
    public static IdScores Mcm(Matrix cosines, double temperature = 1)
    {
        CheckCosines(cosines, "MCM", nameof(cosines), " For logits use Scores.Msp.");
        return new IdScores(WithTemperature("MCM", temperature), MaxProbability(cosines, temperature));
    }

    /// <summary>The largest logit, max z; its ranking does not depend on the logit scale.</summary>
    /// <param name="logits">Logits, or cosines, of shape (N, K).</param>
    /// <returns>N scores in the unit of the logits; higher = more ID.</returns>
    /// <remarks>Hendrycks et al. 2022 (arXiv:1911.11132).</remarks>
    public static IdScores MaxLogit(Matrix logits) => new("MaxLogit", [.. PerRow(logits, Max)]);

    /// <summary>Negative free energy, T·ln Σ exp(z/T).</summary>
    /// <param name="logits">
    /// Logits of shape (N, K). Papers differ in what they give it: MCM's code the cosines, CLIPN's the cosines times 100; say which.
    /// </param>
    /// <param name="temperature">T, divides the logits; 1 in the paper.</param>
    /// <returns>N scores in the unit of the logits; higher = more ID.</returns>
    /// <remarks>Liu et al. 2020 (arXiv:2010.03759), negated so that it is ID-high.</remarks>
    public static IdScores Energy(Matrix logits, double temperature = 1)
    {
        ArgumentNullException.ThrowIfNull(logits);
        CheckTemperature(temperature);
        double[] energy = LogSumExp(logits.Scale(1 / temperature));
        TensorPrimitives.Multiply(energy, temperature, energy);
        return new IdScores(WithTemperature("Energy", temperature), energy);
    }

    /// <summary>
    /// Entropy −Σ p ln p of each row, in nats: 0 when one class has all the mass, ln K when all have the same.
    /// <b>Higher means less certain</b>, which is why these are bare numbers; the score is <see cref="NegativeEntropy"/>.
    /// </summary>
    /// <param name="probabilities">Shape (N, K), rows of <see cref="Softmax"/>.</param>
    /// <returns>N values in [0, ln K].</returns>
    /// <exception cref="ArgumentException">A row is no probability distribution.</exception>
    public static double[] Entropy(Matrix probabilities)
    {
        CheckProbabilities(probabilities);
        return [.. PerRow(probabilities, Entropy)];
    }

    /// <summary>Negative entropy Σ p ln p, in nats.</summary>
    /// <param name="probabilities">Shape (N, K), rows of <see cref="Softmax"/>.</param>
    /// <returns>N scores in [−ln K, 0]; higher = more ID.</returns>
    /// <exception cref="ArgumentException">A row is no probability distribution.</exception>
    public static IdScores NegativeEntropy(Matrix probabilities) => IdScores.FromOodHigh("−entropy", Entropy(probabilities));

    /// <summary>Population variance of the K probabilities of each row: 0 when all classes have the same mass.</summary>
    /// <param name="probabilities">Shape (N, K), rows of <see cref="Softmax"/>.</param>
    /// <returns>N scores in [0, (K−1)/K²]; higher = more ID.</returns>
    /// <exception cref="ArgumentException">A row is no probability distribution.</exception>
    /// <remarks>Reference code: the PLP authors' eval/ood_scores.py (arXiv:2303.05828).</remarks>
    public static IdScores Variance(Matrix probabilities)
    {
        CheckProbabilities(probabilities);
        return new IdScores("Variance", [.. PerRow(probabilities, Variance)]);
    }

    /// <summary>The largest logit minus the mean of the next ones: z₍₁₎ − mean(z₍₂₎ … z₍M₎).</summary>
    /// <param name="logits">Logits, or cosines, of shape (N, K); K at least 2.</param>
    /// <param name="top">M, 2 to K; all K when null. The paper also uses 20 % of K.</param>
    /// <returns>N scores of at least 0, in the unit of the logits; higher = more ID.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="top"/> is not within 2 and K.</exception>
    public static IdScores LogitGap(Matrix logits, int? top = null)
    {
        ArgumentNullException.ThrowIfNull(logits);
        int count = top ?? logits.Columns;
        if (count < 2 || count > logits.Columns)
        {
            throw new ArgumentOutOfRangeException(
                nameof(top), count, $"Expected 2 to {logits.Columns}, the number of classes: the gap is between the first and the next ones.");
        }

        return new IdScores(
            top is null ? "LogitGap" : $"LogitGap (top {count})",
            [.. PerRow(logits, row =>
            {
                double[] sorted = SortedDescending(row);
                return sorted[0] - (TensorPrimitives.Sum<double>(sorted.AsSpan(1, count - 1)) / (count - 1));
            })]);
    }

    /// <summary>The largest minus the second largest logit.</summary>
    /// <param name="logits">Logits, or cosines, of shape (N, K); K at least 2.</param>
    /// <returns>N scores of at least 0, in the unit of the logits; higher = more ID.</returns>
    /// <exception cref="ArgumentException">There is only one class.</exception>
    public static IdScores Margin(Matrix logits)
    {
        ArgumentNullException.ThrowIfNull(logits);
        if (logits.Columns < 2)
        {
            throw new ArgumentException("Got logits of 1 class, expected at least 2: a margin is between two classes.", nameof(logits));
        }

        return new IdScores("Margin", [.. PerRow(logits, row =>
        {
            double[] sorted = SortedDescending(row);
            return sorted[0] - sorted[1];
        })]);
    }

    /// <summary>L1 norm of the logits after subtracting the smallest of the row: Σ (z − min z).</summary>
    /// <param name="logits">Logits of shape (N, K).</param>
    /// <returns>N scores of at least 0, in the unit of the logits; higher = more ID.</returns>
    /// <remarks>Reference code: the PLP authors' eval/ood_scores.py (arXiv:2303.05828).</remarks>
    public static IdScores MinShiftedL1(Matrix logits) => new(
        "min-shifted L1",
        [.. PerRow(logits, row => TensorPrimitives.Sum(row) - (row.Length * TensorPrimitives.Min(row)))]);

    internal static void CheckTemperature(double temperature)
    {
        if (!(temperature > 0) || double.IsInfinity(temperature))
        {
            throw new ArgumentOutOfRangeException(
                nameof(temperature), temperature, "Expected a finite number greater than 0: the temperature divides the logits.");
        }
    }

    internal static void CheckScale(double logitScale)
    {
        if (!(logitScale > 0) || double.IsInfinity(logitScale))
        {
            throw new ArgumentOutOfRangeException(
                nameof(logitScale), logitScale, "Expected a finite number greater than 0: the scale multiplies the cosines.");
        }
    }

    /// <summary>Refuses what cannot be cosines; logits, which are cosines times the scale, are the likely mistake.</summary>
    internal static void CheckCosines(Matrix cosines, string score, string parameter, string hint = "")
    {
        ArgumentNullException.ThrowIfNull(cosines, parameter);
        // Rounding of half-precision features can push a cosine a little over 1.
        int scaled = cosines.Values.IndexOfAnyExceptInRange(-1.01, 1.01);
        if (scaled >= 0)
        {
            throw new ArgumentException(
                string.Create(CultureInfo.InvariantCulture, $"Got {cosines.Values[scaled]} for image {scaled / cosines.Columns}, expected cosines in [-1, 1]. ")
                + $"{score} takes cosines of unit-norm features without the logit scale.{hint}",
                parameter);
        }
    }

    private delegate double RowFunction(ReadOnlySpan<double> row);

    private static double[] PerRow(Matrix matrix, RowFunction function)
    {
        ArgumentNullException.ThrowIfNull(matrix);
        double[] result = new double[matrix.Rows];
        for (int i = 0; i < result.Length; i++)
        {
            result[i] = function(matrix[i]);
        }

        return result;
    }

    private static double[] MaxProbability(Matrix logits, double temperature)
    {
        CheckTemperature(temperature);
        // max softmax(z/T) = exp(max z/T − logsumexp(z/T)) = 1 / Σ exp((z − max z)/T): the row's maximum itself adds exp(0).
        return PerRow(logits, row =>
        {
            double max = Max(row);
            double sum = 0;
            foreach (double logit in row)
            {
                sum += Math.Exp((logit - max) / temperature);
            }

            return 1 / sum;
        });
    }

    private static double LogSumExp(ReadOnlySpan<double> row)
    {
        double max = Max(row);
        // All −∞: the sum is 0; one +∞: the sum is +∞. Subtracting the maximum would make both NaN.
        if (double.IsInfinity(max))
        {
            return max;
        }

        double sum = 0;
        foreach (double logit in row)
        {
            sum += Math.Exp(logit - max);
        }

        return max + Math.Log(sum);
    }

    private static double Entropy(ReadOnlySpan<double> row)
    {
        double sum = 0;
        foreach (double p in row)
        {
            // p ln p → 0 as p → 0, where Math.Log gives −∞.
            sum -= p > 0 ? p * Math.Log(p) : 0;
        }

        return sum;
    }

    private static double Variance(ReadOnlySpan<double> row)
    {
        double mean = TensorPrimitives.Sum(row) / row.Length;
        double sum = 0;
        foreach (double p in row)
        {
            sum += (p - mean) * (p - mean);
        }

        return sum / row.Length;
    }

    private static double Max(ReadOnlySpan<double> row) => TensorPrimitives.Max(row);

    private static double[] SortedDescending(ReadOnlySpan<double> row)
    {
        double[] sorted = row.ToArray();
        Array.Sort(sorted);

        // NaN sorts last and would go unread; spread over the row, it reaches the score, which is refused.
        if (double.IsNaN(sorted[0]))
        {
            Array.Fill(sorted, double.NaN);
        }

        Array.Reverse(sorted);
        return sorted;
    }

    private static void CheckProbabilities(Matrix probabilities)
    {
        ArgumentNullException.ThrowIfNull(probabilities);
        for (int i = 0; i < probabilities.Rows; i++)
        {
            double sum = TensorPrimitives.Sum(probabilities[i]);
            double min = TensorPrimitives.Min(probabilities[i]);
            if (!(Math.Abs(sum - 1) <= 1e-6) || !(min >= 0))
            {
                throw new ArgumentException(
                    string.Create(CultureInfo.InvariantCulture, $"Row {i} sums to {sum} and its smallest value is {min}, expected probabilities that sum to 1. ")
                    + "For logits, take Scores.Softmax first.",
                    nameof(probabilities));
            }
        }
    }

    private static string WithTemperature(string name, double temperature) =>
        temperature == 1 ? name : string.Create(CultureInfo.InvariantCulture, $"{name} (T={temperature})");
}
