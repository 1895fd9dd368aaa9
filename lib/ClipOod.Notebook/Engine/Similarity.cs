using System.Numerics.Tensors;
using ClipOod.Autodiff;
using Microsoft.ML.OnnxRuntime;

namespace ClipOod.Notebook;

/// <summary>
/// Cosine similarities between embeddings, computed block by block on <see cref="Engine"/> in single precision, so
/// that only the result grows with the number of rows.
/// </summary>
public static class Similarity
{
    private const int BlockValues = 1 << 20;
    private const double NormTolerance = 2e-3;

    private static readonly string[] _inputs = ["a", "b"];
    private static readonly string[] _outputs = ["product"];

    // Threads work on blocks of their own, so one run takes one thread.
    private static readonly Lazy<InferenceSession> _product = new(() => Engine.CreateSession(ProductGraph(), threads: 1));

    /// <summary>Cosine similarity of every image with every text (or of any two sets of embeddings).</summary>
    /// <param name="images">Unit-norm embeddings, shape (N, D).</param>
    /// <param name="texts">Unit-norm embeddings, shape (K, D), K at least 1.</param>
    /// <returns>Cosines in [−1, 1] up to rounding, shape (N, K).</returns>
    /// <exception cref="ArgumentException">The widths differ, there is no text, or a row is not of unit norm (tolerance 0.002) or holds NaN.</exception>
    public static Matrix Cosines(Embeddings images, Embeddings texts)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(texts);
        if (images.Width != texts.Width)
        {
            throw new ArgumentException(
                $"Image embeddings have {images.Width} columns but text embeddings have {texts.Width}: were they made by the same CLIP model?",
                nameof(texts));
        }

        RequireRows(texts, nameof(texts));
        RequireUnitNorm(images, nameof(images));
        RequireUnitNorm(texts, nameof(texts));
        return Products(images, texts);
    }

    /// <summary>
    /// The k most similar training embeddings of every query, by exact search. It runs on the CPU, whatever the
    /// execution provider, and keeps an 8-bit copy of <paramref name="train"/> while it runs.
    /// </summary>
    /// <param name="queries">Unit-norm embeddings, shape (N, D).</param>
    /// <param name="train">Unit-norm embeddings, shape (M, D), M at least <paramref name="k"/>.</param>
    /// <param name="k">Number of neighbours, 1 to M.</param>
    /// <returns>
    /// Cosines, highest first, and the rows of <paramref name="train"/> they belong to, both of shape (N, k). Equal
    /// cosines are ordered by row, lowest first. Beside the result, memory does not depend on N.
    /// </returns>
    /// <exception cref="ArgumentException">The widths differ, or a row is not of unit norm (tolerance 0.002) or holds NaN.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="k"/> is outside 1 to M.</exception>
    public static (Matrix Cosines, int[,] Indices) TopK(Embeddings queries, Embeddings train, int k)
    {
        ArgumentNullException.ThrowIfNull(train);
        RequireRows(train, nameof(train));
        RequireUnitNorm(train, nameof(train));
        return new NeighborSearch(train).Search(queries, k);
    }

    /// <summary>Inner products of all rows of <paramref name="a"/> and <paramref name="b"/>, shape (N, K).</summary>
    internal static Matrix Products(Embeddings a, Embeddings b)
    {
        double[] result = new double[a.Rows * b.Rows];
        int blockRows = Math.Clamp(BlockValues / b.Rows, 1, Math.Max(1, a.Rows));
        ForEachBlock(a.Rows, blockRows, () => new float[blockRows * b.Rows], (start, rows, product) =>
        {
            Memory<float> values = product.AsMemory(0, rows * b.Rows);
            using OrtValue block = a.ToOrtValue(start, rows);
            using OrtValue other = b.ToOrtValue(0, b.Rows);
            using OrtValue output = Engine.Tensor(values, rows, b.Rows);
            using RunOptions options = new();
            _product.Value.Run(options, _inputs, [block, other], _outputs, [output]);
            TensorPrimitives.ConvertTruncating<float, double>(values.Span, result.AsSpan(start * b.Rows, values.Length));
        });
        return new Matrix(a.Rows, b.Rows, result);
    }

    /// <summary>
    /// Runs the body on blocks of rows (first row, number of rows), on as many workers as there are threads, each with
    /// one workspace for all its blocks: memory does not grow with the number of blocks.
    /// </summary>
    internal static void ForEachBlock<T>(int rows, int blockRows, Func<T> newWorkspace, Action<int, int, T> body)
    {
        // Few rows are shared evenly, so that no thread idles.
        int size = Math.Clamp((rows + Engine.Threads - 1) / Engine.Threads, 1, blockRows);
        int next = -size;
        Parallel.For(0, Math.Min(Engine.Threads, (rows + size - 1) / size), _ =>
        {
            T workspace = newWorkspace();
            for (int start = Interlocked.Add(ref next, size); start < rows; start = Interlocked.Add(ref next, size))
            {
                body(start, Math.Min(size, rows - start), workspace);
            }
        });
    }

    internal static void RequireRows(Embeddings embeddings, string name)
    {
        if (embeddings.Rows == 0)
        {
            throw new ArgumentException("Got no rows, expected at least one.", name);
        }
    }

    internal static void RequireUnitNorm(Embeddings embeddings, string name)
    {
        for (int i = 0; i < embeddings.Rows; i++)
        {
            float norm = TensorPrimitives.Norm(embeddings[i]);
            if (!(Math.Abs(norm - 1) <= NormTolerance))
            {
                RequireFinite(embeddings, i, name);
                throw new ArgumentException(
                    FormattableString.Invariant($"Row {i} has norm {norm}, expected 1 within {NormTolerance}. Call Normalized() first."), name);
            }
        }
    }

    internal static void RequireFinite(Embeddings embeddings, int row, string name)
    {
        if (!float.IsFinite(TensorPrimitives.MaxMagnitude(embeddings[row])))
        {
            throw new ArgumentException($"Row {row} of {embeddings.Rows} holds NaN or infinity. Drop it, or encode its image again.", name);
        }
    }

    private static Graph ProductGraph()
    {
        Graph graph = new("product");
        graph.Output("product", Op.Linear(
            graph.Input("a", ElementType.Float, "n", "d"), graph.Input("b", ElementType.Float, "m", "d"), transposed: true));
        return graph;
    }
}
