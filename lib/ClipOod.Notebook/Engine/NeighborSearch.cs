using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using ClipOod.Autodiff;
using Microsoft.ML.OnnxRuntime;

namespace ClipOod.Notebook;

/// <summary>
/// Exact search of the k rows of highest inner product, in two stages. Blocks of products of 8-bit codes, which run
/// several times as fast as single precision, give every inner product up to an error that has a proven bound; only
/// pairs that may enter the k best within that bound are computed in single precision. Nothing is lost: with
/// x = x̂ + e and t = t̂ + f (codes and their rounding), |x·t − x̂·t̂| ≤ |e|·|t̂| + |x|·|f| by Cauchy-Schwarz.
/// Both sides are centred on a mean μ of training rows, x·t = (x−μ)·(t−μ) + μ·(t−μ) + x·μ, because CLIP features share a few
/// large components that would take up the range of the codes.
/// </summary>
internal sealed class NeighborSearch
{
    // A block of products (4 MiB per thread) stays in the cache until it has been scanned.
    private const int QueryBlock = 512;
    private const int TrainBlock = 2048;

    // Codes of training rows are bytes around 128. Those of queries have 7 bits: processors without 8-bit dot products
    // add pairs of byte products in 16 bits, which 255 x 64 x 2 does not exceed.
    private const int TrainRange = 127;
    private const int QueryRange = 63;
    private const byte ZeroPoint = 128;

    private const int CentreRows = 1024;

    // More than all single-precision rounding beside the codes adds up to, for unit vectors of any usual width.
    private const float Rounding = 1e-5f;

    private static readonly string[] _inputs = ["train", "queries"];
    private static readonly string[] _outputs = ["product"];

    // Threads work on blocks of their own, so one run takes one thread. There is no CUDA kernel for these codes.
    private static readonly Lazy<InferenceSession> _session = new(() => Engine.CreateSession(ProductGraph(), threads: 1, onCpu: true));

    private readonly Embeddings _train;
    private readonly float[] _mean;
    private readonly byte[] _codes;
    private readonly float[] _scales;
    private readonly float[] _offsets;
    private readonly float _largestNorm;
    private readonly float _largestError;

    /// <summary>Encodes the rows to search in: one byte per value beside the rows themselves.</summary>
    public NeighborSearch(Embeddings train)
    {
        _train = train;
        _mean = Mean(train);
        _codes = new byte[train.Values.Length];
        _scales = new float[train.Rows];
        _offsets = new float[train.Rows];
        float[] norms = new float[train.Rows], errors = new float[train.Rows];
        Similarity.ForEachBlock(train.Rows, TrainBlock, () => new float[2 * train.Width], (start, rows, buffer) =>
        {
            Span<float> centred = buffer.AsSpan(0, train.Width), code = buffer.AsSpan(train.Width);
            for (int i = start; i < start + rows; i++)
            {
                TensorPrimitives.Subtract(train[i], _mean, centred);
                _offsets[i] = Dot(_mean, centred);
                (_scales[i], norms[i], errors[i]) = Encode(centred, code, TrainRange);
                Span<byte> codes = _codes.AsSpan(i * train.Width, train.Width);
                TensorPrimitives.Add(code, ZeroPoint, code);
                TensorPrimitives.ConvertTruncating<float, byte>(code, codes);
            }
        });
        _largestNorm = TensorPrimitives.Max<float>(norms);
        _largestError = TensorPrimitives.Max<float>(errors);
    }

    public int Rows => _train.Rows;

    /// <summary>The k best of every query, as <see cref="Similarity.TopK"/> describes them.</summary>
    public (Matrix Cosines, int[,] Indices) Search(Embeddings queries, int k)
    {
        ArgumentNullException.ThrowIfNull(queries);
        if (queries.Width != _train.Width)
        {
            throw new ArgumentException(
                $"Query embeddings have {queries.Width} columns but training embeddings have {_train.Width}: were they made by the same CLIP model?",
                nameof(queries));
        }

        if (k < 1 || k > Rows)
        {
            throw new ArgumentOutOfRangeException(nameof(k), k, $"The number of neighbours goes from 1 to the number of training rows, {Rows}.");
        }

        Similarity.RequireUnitNorm(queries, nameof(queries));
        double[] cosines = new double[queries.Rows * k];
        int[,] indices = new int[queries.Rows, k];
        Similarity.ForEachBlock(queries.Rows, QueryBlock, () => new Workspace(this, queries, k), (start, rows, workspace) =>
        {
            workspace.Search(start, rows);
            for (int i = 0; i < rows * k; i++)
            {
                cosines[(start * k) + i] = workspace.Best[i];
                indices[start + (i / k), i % k] = workspace.Indices[i];
            }
        });
        return (new Matrix(queries.Rows, k, cosines), indices);
    }

    /// <summary>What one thread needs to search one block of queries after another.</summary>
    private sealed class Workspace
    {
        private readonly NeighborSearch _search;
        private readonly Embeddings _queries;
        private readonly int _k;
        private readonly int[] _product;
        private readonly sbyte[] _codes; // one column per query
        private readonly float[] _scales;
        private readonly float[] _slack; // x·μ plus the bound of the error
        private readonly float[] _thresholds; // what scale·product + offset must exceed
        private readonly float[] _centred;
        private readonly float[] _code;
        private int _start;

        public Workspace(NeighborSearch search, Embeddings queries, int k)
        {
            (_search, _queries, _k) = (search, queries, k);
            int rows = Math.Min(QueryBlock, queries.Rows);
            _product = new int[rows * Math.Min(TrainBlock, search.Rows)];
            _codes = new sbyte[queries.Width * rows];
            _scales = new float[rows];
            _slack = new float[rows];
            _thresholds = new float[rows];
            _centred = new float[queries.Width];
            _code = new float[queries.Width];
            Best = new float[rows * k];
            Indices = new int[rows * k];
        }

        /// <summary>k cosines per query, highest first.</summary>
        public float[] Best { get; }

        /// <summary>The training rows they belong to.</summary>
        public int[] Indices { get; }

        public void Search(int start, int rows)
        {
            int width = _queries.Width;
            Begin(start, rows);
            using RunOptions options = new();
            using OrtValue queries = Engine.Tensor(_codes.AsMemory(0, width * rows), width, rows);
            for (int from = 0; from < _search.Rows; from += TrainBlock)
            {
                int count = Math.Min(TrainBlock, _search.Rows - from);
                using OrtValue train = Engine.Tensor(_search._codes.AsMemory(from * width, count * width), count, width);
                using OrtValue output = Engine.Tensor(_product.AsMemory(0, count * rows), count, rows);
                _session.Value.Run(options, _inputs, [train, queries], _outputs, [output]);
                for (int i = 0; i < count; i++)
                {
                    Scan(_product.AsSpan(i * rows, rows), from + i);
                }
            }
        }

        // Encodes the queries; nothing has been found yet.
        private void Begin(int start, int rows)
        {
            _start = start;
            for (int i = 0; i < rows; i++)
            {
                ReadOnlySpan<float> query = _queries[start + i];
                TensorPrimitives.Subtract(query, _search._mean, _centred);
                float norm = TensorPrimitives.Norm<float>(_centred);
                (_scales[i], _, float error) = Encode(_centred, _code, QueryRange);
                _slack[i] = Dot(query, _search._mean) + (error * _search._largestNorm) + (norm * _search._largestError) + Rounding;
                for (int j = 0; j < _code.Length; j++)
                {
                    _codes[(j * rows) + i] = (sbyte)_code[j];
                }
            }

            Best.AsSpan().Fill(float.NegativeInfinity);
            _thresholds.AsSpan().Fill(float.NegativeInfinity);
        }

        // One training row against all queries of the block; nearly all are passed over a vector at a time.
        private void Scan(ReadOnlySpan<int> products, int row)
        {
            float scale = _search._scales[row], offset = _search._offsets[row];
            int i = 0;
            for (; i <= products.Length - Vector<float>.Count; i += Vector<float>.Count)
            {
                Vector<float> product = Vector.ConvertToSingle(new Vector<int>(products[i..])) * scale;
                Vector<float> bound = (product * new Vector<float>(_scales, i)) + new Vector<float>(offset);
                if (Vector.GreaterThanAny(bound, new Vector<float>(_thresholds, i)))
                {
                    for (int j = i; j < i + Vector<float>.Count; j++)
                    {
                        Consider(bound[j - i], j, row);
                    }
                }
            }

            for (; i < products.Length; i++)
            {
                Consider((products[i] * scale * _scales[i]) + offset, i, row);
            }
        }

        // Only a cosine above the k-th best enters, so that of equal ones the lowest row stays.
        private void Consider(float bound, int query, int row)
        {
            Span<float> best = Best.AsSpan(query * _k, _k);
            if (!(bound > _thresholds[query]))
            {
                return;
            }

            float cosine = Dot(_queries[_start + query], _search._train[row]);
            if (!(cosine > best[^1]))
            {
                return;
            }

            Span<int> indices = Indices.AsSpan(query * _k, _k);
            int place = _k - 1;
            for (; place > 0 && best[place - 1] < cosine; place--)
            {
                best[place] = best[place - 1];
                indices[place] = indices[place - 1];
            }

            best[place] = cosine;
            indices[place] = row;
            _thresholds[query] = best[^1] - _slack[query];
        }
    }

    /// <summary>
    /// Rounds to whole numbers of −range to range times a scale; returns the scale, and the norms of what the codes
    /// stand for and of the error. Overwrites <paramref name="values"/>.
    /// </summary>
    private static (float Scale, float Norm, float Error) Encode(Span<float> values, Span<float> codes, int range)
    {
        float largest = Math.Abs(TensorPrimitives.MaxMagnitude<float>(values));
        float scale = largest > 1e-30f ? largest / range : 1;
        TensorPrimitives.Multiply(values, 1 / scale, codes);
        TensorPrimitives.Round(codes, codes);
        TensorPrimitives.MultiplyAdd(codes, -scale, values, values);
        return (scale, scale * TensorPrimitives.Norm<float>(codes), TensorPrimitives.Norm<float>(values));
    }

    // The identity above holds for any centre; the mean of some rows spread over all is near enough.
    private static float[] Mean(Embeddings train)
    {
        int step = ((train.Rows - 1) / CentreRows) + 1, count = 0;
        float[] sum = new float[train.Width];
        for (int i = 0; i < train.Rows; i += step, count++)
        {
            TensorPrimitives.Add(sum, train[i], sum);
        }

        TensorPrimitives.Divide(sum, count, sum);
        return sum;
    }

    // Adds in one order wherever the operands lie in memory, so that equal rows have equal cosines.
    private static float Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        ReadOnlySpan<Vector<float>> x = MemoryMarshal.Cast<float, Vector<float>>(a), y = MemoryMarshal.Cast<float, Vector<float>>(b);
        Vector<float> even = Vector<float>.Zero, odd = Vector<float>.Zero;
        int i = 0;
        for (; i + 1 < x.Length; i += 2)
        {
            even += x[i] * y[i];
            odd += x[i + 1] * y[i + 1];
        }

        float sum = Vector.Sum(even + odd);
        for (int j = i * Vector<float>.Count; j < a.Length; j++)
        {
            sum += a[j] * b[j];
        }

        return sum;
    }

    private static Graph ProductGraph()
    {
        Graph graph = new("product of codes");
        ClipOod.Autodiff.Tensor[] factors =
        [
            graph.Input("train", ElementType.UInt8, "m", "d"),
            graph.Input("queries", ElementType.Int8, "d", "n"),
            graph.Constant<byte>([ZeroPoint]),
        ];
        graph.Output("product", graph.Emit("MatMulInteger", factors, ElementType.Int32, new Shape("m", "n")));
        return graph;
    }
}
