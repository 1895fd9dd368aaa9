using System.Numerics.Tensors;

namespace ClipOod.Notebook;

/// <summary>
/// AdaNeg: while a stream of test images is scored, sure ones are remembered under the label they look like, ID or negative, and the
/// remembered images become second, visual proxies of the labels. The score is that of the texts and that of the proxies together.
/// </summary>
/// <remarks>
/// Zhang &amp; Zhang 2024 (arXiv:2410.20149); reference code: YBZh/OpenOOD-VLM, openood/postprocessors/ttaprompt_postprocessor.py. Test-time
/// adaptive: the score of an image depends on those before it, so start anew for every OOD set and shuffle with a seed
/// (<see cref="MixedImages"/>). The code's memory is one image short of L, by a bound that counts the text; this one holds L images.
/// </remarks>
public static class AdaNeg
{
    /// <summary>Scores a stream in its order, remembering sure images on the way.</summary>
    /// <param name="stream">Unit-norm image features in the order they arrive in, shape (N, D).</param>
    /// <param name="idTexts">Unit-norm text features of the classes, shape (K, D).</param>
    /// <param name="negativeTexts">Unit-norm text features of the negative labels, shape (M, D).</param>
    /// <param name="options">Those of the paper when null.</param>
    /// <returns>N scores in the order of the stream, in [0, 1 + the text's weight]; higher = more ID.</returns>
    /// <exception cref="ArgumentException">The widths differ, or a row is not of unit norm or holds NaN.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range, or there are fewer negatives than groups.</exception>
    public static IdScores Score(Embeddings stream, Embeddings idTexts, Embeddings negativeTexts, AdaNegOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(idTexts);
        ArgumentNullException.ThrowIfNull(negativeTexts);
        options ??= new AdaNegOptions();
        Check(options);
        Embeddings texts = idTexts.Append(negativeTexts);
        Matrix cosines = Similarity.Cosines(stream, texts);
        int[] permutation = NegativeLabels.Permutation(negativeTexts.Rows, options.Groups, options.Seed);
        ConfidentBands bands = new(options.Threshold, options.Gap);
        Memory memory = new(stream, texts, options);
        double[] scores = new double[stream.Rows];
        for (int start = 0; start < scores.Length; start += options.BatchSize)
        {
            int end = Math.Min(start + options.BatchSize, scores.Length);
            for (int i = start; i < end; i++)
            {
                ReadOnlySpan<double> row = cosines[i];
                scores[i] = NegLabel(row);
                if (bands.IsId(scores[i]))
                {
                    memory.Remember(i, row[..idTexts.Rows], first: 0);
                }
                else if (bands.IsOod(scores[i]))
                {
                    memory.Remember(i, row[idTexts.Rows..], first: idTexts.Rows);
                }
            }

            Parallel.For(start, end, i =>
            {
                double[] proxies = cosines[i].ToArray();
                memory.Replace(i, proxies);
                scores[i] = NegLabel(proxies) + (options.TextWeight * scores[i]);
            });
        }

        return new IdScores("AdaNeg", scores);

        double NegLabel(ReadOnlySpan<double> row)
        {
            double[] shares = new double[options.Groups];
            NegativeLabels.ShareOfGroups(row[..idTexts.Rows], row[idTexts.Rows..], permutation, options.LogitScale, shares);
            return TensorPrimitives.Average<double>(shares);
        }
    }

    private static void Check(AdaNegOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MemoryLength, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.BatchSize, 1);
        Scores.CheckScale(options.LogitScale);
        if (!(options.Beta >= 0) || double.IsInfinity(options.Beta))
        {
            throw new ArgumentOutOfRangeException(nameof(options), options.Beta, "Expected a finite β of at least 0.");
        }

        if (!(options.TextWeight >= 0) || double.IsInfinity(options.TextWeight))
        {
            throw new ArgumentOutOfRangeException(nameof(options), options.TextWeight, "Expected a finite weight of the text of at least 0.");
        }
    }

    /// <summary>The rows of the stream that are remembered under each label; the label's text is always there beside them.</summary>
    private sealed class Memory(Embeddings stream, Embeddings texts, AdaNegOptions options)
    {
        private readonly SortedDictionary<int, List<(int Row, double Entropy)>> _slots = [];

        /// <summary>
        /// Keeps an image under the most probable of some labels. A full memory gives up its least certain image, if that is less certain
        /// than the new one.
        /// </summary>
        /// <param name="row">Of the stream.</param>
        /// <param name="cosines">To the labels it may belong to: all classes or all negatives.</param>
        /// <param name="first">The first of these labels.</param>
        public void Remember(int row, ReadOnlySpan<double> cosines, int first)
        {
            int label = first + TensorPrimitives.IndexOfMax(cosines);
            if (!_slots.TryGetValue(label, out List<(int Row, double Entropy)>? slots))
            {
                slots = [];
                _slots.Add(label, slots);
            }

            // The entropy of the softmax over these labels alone.
            double entropy = Scores.Entropy(Scores.Softmax(new Matrix(1, cosines.Length, cosines.ToArray()).Scale(options.LogitScale)))[0];
            if (slots.Count < options.MemoryLength)
            {
                slots.Add((row, entropy));
                return;
            }

            int worst = Enumerable.Range(0, slots.Count).MaxBy(k => slots[k].Entropy);
            if (entropy < slots[worst].Entropy)
            {
                slots[worst] = (row, entropy);
            }
        }

        /// <summary>Replaces an image's cosines to the texts by those to the proxies; without remembered images, a label's proxy is its text.</summary>
        public void Replace(int row, double[] cosines)
        {
            ReadOnlySpan<float> image = stream[row];
            float[] proxy = new float[stream.Width];
            foreach ((int label, List<(int Row, double Entropy)> slots) in _slots)
            {
                Array.Clear(proxy);
                Add(texts[label], image, proxy);
                foreach ((int remembered, _) in slots)
                {
                    Add(stream[remembered], image, proxy);
                }

                cosines[label] = TensorPrimitives.Dot(image, proxy) / Math.Max(TensorPrimitives.Norm<float>(proxy), 1e-12);
            }
        }

        private void Add(ReadOnlySpan<float> slot, ReadOnlySpan<float> image, float[] proxy)
        {
            double weight = options.Proxy == AdaNegProxy.TaskAdaptive ? 1 : Math.Exp(-options.Beta * (1 - TensorPrimitives.Dot(slot, image)));
            TensorPrimitives.MultiplyAdd(slot, (float)weight, proxy, proxy);
        }
    }
}
