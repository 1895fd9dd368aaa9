using System.Numerics.Tensors;
using MathNet.Numerics.LinearAlgebra;
using MathNet.Numerics.LinearAlgebra.Double;
using MathNet.Numerics.LinearAlgebra.Factorization;

namespace ClipOod.Notebook;

/// <summary>
/// A linear map W with WᵀW = Σ⁻¹ (or the pseudo-inverse Σ⁺), so that a squared Mahalanobis distance becomes a squared Euclidean one:
/// (x−μ)ᵀΣ⁻¹(x−μ) = ‖Wx − Wμ‖².
/// </summary>
internal sealed class Whitening
{
    private readonly double[] _map;
    private readonly bool _lowerTriangular;

    private Whitening(double[] map, int width, bool lowerTriangular)
    {
        _map = map;
        Width = width;
        _lowerTriangular = lowerTriangular;
    }

    public int Width { get; }

    /// <summary>The inverse of the Cholesky factor of Σ, or null when Σ is singular to working precision.</summary>
    /// <param name="covariance">Σ, symmetric, (D, D), row-major.</param>
    /// <param name="width">D.</param>
    public static Whitening? FromInverse(double[] covariance, int width)
    {
        double[] factor = new double[width * width];
        double[] inverse = new double[width * width];
        double trace = 0;
        double inverseSquares = 0;
        for (int i = 0; i < width; i++)
        {
            Span<double> row = factor.AsSpan(i * width, width);
            Span<double> inverseRow = inverse.AsSpan(i * width, width);
            for (int j = 0; j < i; j++)
            {
                ReadOnlySpan<double> other = factor.AsSpan(j * width, width);
                row[j] = (covariance[(i * width) + j] - TensorPrimitives.Dot<double>(row[..j], other[..j])) / other[j];
                TensorPrimitives.MultiplyAdd(inverse.AsSpan(j * width, j + 1), -row[j], inverseRow[..(j + 1)], inverseRow[..(j + 1)]);
            }

            double pivot = covariance[(i * width) + i] - TensorPrimitives.SumOfSquares<double>(row[..i]);
            if (!(pivot > 0))
            {
                return null;
            }

            row[i] = Math.Sqrt(pivot);
            inverseRow[i] = 1;
            TensorPrimitives.Divide(inverseRow[..(i + 1)], row[i], inverseRow[..(i + 1)]);
            trace += covariance[(i * width) + i];
            inverseSquares += TensorPrimitives.SumOfSquares<double>(inverseRow[..(i + 1)]);
        }

        // tr Σ⁻¹ = ‖L⁻¹‖² is at least 1/λmin, and tr Σ at least λmax: no eigenvalue is lost in the rounding of the largest.
        return 1 / inverseSquares > RelativeCutoff(width) * trace ? new Whitening(inverse, width, lowerTriangular: true) : null;
    }

    /// <summary>The square root of the pseudo-inverse: directions whose eigenvalue is lost in rounding are left out of distances.</summary>
    /// <inheritdoc cref="FromInverse"/>
    public static Whitening FromPseudoInverse(double[] covariance, int width)
    {
        // Without such a direction the two are the same, and Cholesky is many times faster.
        if (FromInverse(covariance, width) is { } inverse)
        {
            return inverse;
        }

        Evd<double> eigen = DenseMatrix.OfColumnMajor(width, width, covariance).Evd(Symmetricity.Symmetric);
        Vector<double> values = eigen.EigenValues.Real();
        double cutoff = RelativeCutoff(width) * values.AbsoluteMaximum();
        double[] map = new double[width * width];
        for (int i = 0; i < width; i++)
        {
            if (values[i] > cutoff)
            {
                eigen.EigenVectors.Column(i).Divide(Math.Sqrt(values[i])).AsArray().CopyTo(map, i * width);
            }
        }

        return new Whitening(map, width, lowerTriangular: false);
    }

    /// <summary>Wx.</summary>
    public void Apply(ReadOnlySpan<double> x, Span<double> result)
    {
        for (int i = 0; i < Width; i++)
        {
            int length = _lowerTriangular ? i + 1 : Width;
            result[i] = TensorPrimitives.Dot(_map.AsSpan(i * Width, length), x[..length]);
        }
    }

    /// <summary>An eigenvalue below this share of the largest is rounding, D times the machine epsilon: the rule of torch's and scipy's pinv.</summary>
    private static double RelativeCutoff(int width) => width * Math.ScaleB(1, -52);
}
