using System.Numerics.Tensors;
using MathNet.Numerics.LinearAlgebra.Double;
using MathNet.Numerics.LinearAlgebra.Factorization;
using LinearAlgebra = MathNet.Numerics.LinearAlgebra;

namespace ClipOod.Notebook;

/// <summary>
/// Virtual-logit matching: energy of the head minus the part of a feature that lies outside the main directions of the training
/// features, scaled to the size of a logit: ln Σ exp(z) − α·‖residual‖.
/// </summary>
/// <remarks>Wang et al. 2022 (arXiv:2203.10807); reference code: haoqiwang/vim, benchmark.py.</remarks>
public sealed class Vim
{
    private readonly LinearLogits _head;
    private readonly double[] _origin;

    /// <summary>Orthonormal rows that span the residual space.</summary>
    private readonly double[] _residualSpace;

    private Vim(LinearLogits head, double[] origin, double[] residualSpace, int principalDimensions)
    {
        _head = head;
        _origin = origin;
        _residualSpace = residualSpace;
        PrincipalDimensions = principalDimensions;
    }

    /// <summary>D′, the number of main directions.</summary>
    internal int PrincipalDimensions { get; }

    /// <summary>α: mean largest training logit divided by mean training residual.</summary>
    internal double Alpha { get; private init; }

    /// <summary>u = −W⁺b, the point at which the head's logits are as near to zero as they can be; D values.</summary>
    internal IReadOnlyList<double> Origin => _origin;

    /// <summary>Finds the main directions and the scale.</summary>
    /// <param name="train">Training features, shape (N, D).</param>
    /// <param name="weight">The head's weights, shape (K, D); for zero-shot CLIP <c>text.Features.ToMatrix().Scale(Scores.ClipLogitScale)</c>.</param>
    /// <param name="bias">The head's K biases; zeros for zero-shot CLIP.</param>
    /// <param name="principalDimensions">
    /// D′, 1 to D−1; when null that of the reference code: 1000 for D of at least 2048, 512 for at least 768, else D/2.
    /// </param>
    /// <exception cref="ArgumentException">There is no training row, a feature is NaN or infinite, or widths or counts differ.</exception>
    /// <exception cref="InvalidOperationException">No training feature has a residual, so that α is not defined.</exception>
    public static Vim Fit(Embeddings train, Matrix weight, IReadOnlyList<double> bias, int? principalDimensions = null)
    {
        Samples samples = Samples.Of(train);
        samples.CheckTrain(nameof(train));
        int width = train.Width;
        int principal = principalDimensions ?? width switch { >= 2048 => 1000, >= 768 => 512, _ => width / 2 };
        if (principal < 1 || principal >= width)
        {
            throw new ArgumentOutOfRangeException(
                nameof(principalDimensions), principal, $"Expected 1 to {width - 1}, less than the {width} features: the rest is the residual.");
        }

        LinearLogits head = new(width, weight, bias);
        double[] origin = OriginOf(weight, bias);
        double[] moment = samples.SumOfOuterProducts((_, row) => TensorPrimitives.Subtract(row, origin, row));
        Evd<double> eigen = DenseMatrix.OfColumnMajor(width, width, moment).Evd(LinearAlgebra.Symmetricity.Symmetric);

        // MathNet lists eigenvalues in ascending order: the first columns are the directions of least variation.
        double[] residualSpace = eigen.EigenVectors.SubMatrix(0, width, 0, width - principal).ToColumnMajorArray();
        Vim fitted = new(head, origin, residualSpace, principal);
        double meanResidual = fitted.Residuals(train).Average();
        double meanLogit = Scores.MaxLogit(head.Apply(samples)).Average();

        // Rounding leaves about 1e-16 of the size of a feature where there is nothing.
        return meanResidual > 1e-12 * Math.Sqrt(TensorPrimitives.SumOfSquares(train.Values) / train.Rows)
            ? new Vim(head, origin, residualSpace, principal) { Alpha = meanLogit / meanResidual }
            : throw new InvalidOperationException(
                $"The {train.Rows} training features lie within {principal} directions, so that nothing is left as residual. Use fewer principal dimensions or more rows.");
    }

    /// <summary>The norm of what each feature, seen from the origin, has outside the main directions.</summary>
    /// <param name="features">Features, shape (M, D).</param>
    /// <returns>M values of at least 0; higher = more OOD.</returns>
    /// <exception cref="ArgumentException">The width is not that of the training features.</exception>
    internal double[] Residuals(Embeddings features)
    {
        Samples samples = Samples.Of(features);
        int width = _origin.Length;
        samples.CheckWidth(width, nameof(features));
        double[] residuals = new double[samples.Count];
        Parallel.For(0, samples.Count, () => new double[width], (i, _, row) =>
        {
            samples.CopyRow(i, row);
            TensorPrimitives.Subtract(row, _origin, row);
            double squares = 0;
            for (int d = 0; d < width - PrincipalDimensions; d++)
            {
                double projection = TensorPrimitives.Dot<double>(row, _residualSpace.AsSpan(d * width, width));
                squares += projection * projection;
            }

            residuals[i] = Math.Sqrt(squares);
            return row;
        }, _ => { });
        return residuals;
    }

    /// <summary>Energy minus α times the residual.</summary>
    /// <param name="features">Features to score, shape (M, D).</param>
    /// <returns>M scores in the unit of the logits; higher = more ID.</returns>
    /// <exception cref="ArgumentException">The width is not that of the training features.</exception>
    public IdScores Score(Embeddings features)
    {
        double[] scores = Scores.LogSumExp(_head.Apply(Samples.Of(features)));
        TensorPrimitives.MultiplyAdd(Residuals(features), -Alpha, scores, scores);
        return new IdScores("ViM", scores);
    }

    private static double[] OriginOf(Matrix weight, IReadOnlyList<double> bias)
    {
        // Zero-shot CLIP has no bias; its origin needs no pseudo-inverse.
        if (bias.All(b => b == 0))
        {
            return new double[weight.Columns];
        }

        // MathNet stores columns, so that our rows are the columns of the transpose, and pinv(Wᵀ) = pinv(W)ᵀ.
        LinearAlgebra.Matrix<double> pseudoInverse = DenseMatrix.OfColumnMajor(weight.Columns, weight.Rows, weight.Values.ToArray()).PseudoInverse();
        return (-pseudoInverse.LeftMultiply(DenseVector.OfEnumerable(bias))).ToArray();
    }

    /// <summary>The detectors of this file, each in its one configuration.</summary>
    internal static IReadOnlyList<Detector> Detectors { get; } =
    [
        new ImageDetector(
            new()
            {
                Key = "vim",
                Name = "ViM",
                Family = DetectorFamily.IdFeatures,
                Authors = "Wang et al.",
                Title = "ViM: Out-Of-Distribution with Virtual-logit Matching",
                Year = 2022,
                Url = new Uri("https://arxiv.org/abs/2203.10807"),
                ReferenceCode = "haoqiwang/vim",
                Equation = "ln Σ exp z − α ‖residual of x outside the main directions‖",
                Needs = DetectorInputs.Features | DetectorInputs.Logits | DetectorInputs.TrainImages,
                Member = "Vim.Score",
                Notebook = 13,
                Golden = "vim",
            },
            fit =>
            {
                Embeddings train = fit.Known.Train.Features;
                int dimensions = Math.Min(train.Width, train.Rows) / 2;
                Vim vim = Fit(train, fit.Text.ToMatrix().Scale(fit.Scale), new double[fit.Known.NumClasses], dimensions);
                return images => vim.Score(images.Features);
            }),
    ];
}
