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

            Matrix toProxies = memory.CosinesToProxies(start, end, cosines);
            Parallel.For(start, end, i => scores[i] = NegLabel(toProxies[i - start]) + (options.TextWeight * scores[i]));
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

    /// <summary>The images of the stream that are remembered under each label; the label's text is always there beside them.</summary>
    private sealed class Memory(Embeddings stream, Embeddings texts, AdaNegOptions options)
    {
        private readonly SortedDictionary<int, Label> _labels = [];

        /// <summary>
        /// Keeps an image under the most probable of some labels. A full memory gives up its least certain image, if that is less certain
        /// than the new one.
        /// </summary>
        /// <param name="row">Of the stream.</param>
        /// <param name="cosines">To the labels it may belong to: all classes or all negatives.</param>
        /// <param name="first">The first of these labels.</param>
        public void Remember(int row, ReadOnlySpan<double> cosines, int first)
        {
            int index = first + TensorPrimitives.IndexOfMax(cosines);
            if (!_labels.TryGetValue(index, out Label? label))
            {
                label = new Label(options.MemoryLength, texts[index]);
                _labels.Add(index, label);
            }

            // The entropy of the softmax over these labels alone.
            double entropy = Scores.Entropy(Scores.Softmax(new Matrix(1, cosines.Length, cosines.ToArray()).Scale(options.LogitScale)))[0];
            if (label.Rows.Count < options.MemoryLength)
            {
                label.Rows.Add(row);
                label.Entropies.Add(entropy);
                label.Multiply(label.Rows.Count, stream, texts[index]);
                return;
            }

            int worst = label.Entropies.IndexOf(label.Entropies.Max());
            if (entropy < label.Entropies[worst])
            {
                (label.Rows[worst], label.Entropies[worst]) = (row, entropy);
                label.Multiply(worst + 1, stream, texts[index]);
            }
        }

        /// <summary>
        /// Cosines of images to the proxies, the weighted sums of a label's text and images; without remembered images, a label's proxy
        /// is its text. With the products of what is summed among itself, neither the sum nor its norm need the features again.
        /// </summary>
        /// <param name="start">The first image.</param>
        /// <param name="end">The one after the last.</param>
        /// <param name="toTexts">Cosines of all images of the stream to the texts.</param>
        public Matrix CosinesToProxies(int start, int end, Matrix toTexts)
        {
            double[] values = new double[(end - start) * texts.Rows];
            int[] remembered = [.. _labels.Values.SelectMany(label => label.Rows)];
            Matrix? toRemembered = remembered.Length == 0
                ? null
                : Similarity.Cosines(stream.Select([.. Enumerable.Range(start, end - start)]), stream.Select(remembered));
            Parallel.For(0, end - start, i =>
            {
                Span<double> row = values.AsSpan(i * texts.Rows, texts.Rows);
                toTexts[start + i].CopyTo(row);
                Span<double> cosines = new double[options.MemoryLength + 1], weights = new double[options.MemoryLength + 1];
                int at = 0;
                foreach ((int index, Label label) in _labels)
                {
                    int count = label.Rows.Count + 1;
                    cosines[0] = row[index];
                    toRemembered![i].Slice(at, count - 1).CopyTo(cosines[1..]);
                    at += count - 1;
                    row[index] = label.CosineToProxy(cosines[..count], weights[..count], options);
                }
            });
            return new Matrix(end - start, texts.Rows, values);
        }
    }

    /// <summary>What is remembered under one label, and the products of the label's text (first) and its images with each other.</summary>
    private sealed class Label
    {
        private readonly double[,] _products;

        public Label(int memoryLength, ReadOnlySpan<float> text)
        {
            _products = new double[memoryLength + 1, memoryLength + 1];
            _products[0, 0] = TensorPrimitives.Dot(text, text);
        }

        public List<int> Rows { get; } = [];

        public List<double> Entropies { get; } = [];

        /// <summary>Renews the products of one place, after its image changed.</summary>
        public void Multiply(int place, Embeddings stream, ReadOnlySpan<float> text)
        {
            for (int other = 0; other <= Rows.Count; other++)
            {
                ReadOnlySpan<float> feature = other == 0 ? text : stream[Rows[other - 1]];
                _products[place, other] = _products[other, place] = TensorPrimitives.Dot(stream[Rows[place - 1]], feature);
            }
        }

        /// <summary>The cosine of an image to the proxy.</summary>
        /// <param name="cosines">Of the image to the text and to what is remembered.</param>
        /// <param name="weights">Memory for the weights of these.</param>
        /// <param name="options">The kind of proxy and its β.</param>
        public double CosineToProxy(ReadOnlySpan<double> cosines, Span<double> weights, AdaNegOptions options)
        {
            for (int k = 0; k < weights.Length; k++)
            {
                weights[k] = options.Proxy == AdaNegProxy.TaskAdaptive ? 1 : Math.Exp(-options.Beta * (1 - cosines[k]));
            }

            double squaredNorm = 0;
            for (int k = 0; k < weights.Length; k++)
            {
                for (int m = 0; m < weights.Length; m++)
                {
                    squaredNorm += weights[k] * weights[m] * _products[k, m];
                }
            }

            return TensorPrimitives.Dot(weights, cosines) / Math.Sqrt(Math.Max(squaredNorm, 1e-24));
        }
    }

    /// <summary>The detectors of this file, each in its one configuration.</summary>
    internal static IReadOnlyList<Detector> Detectors { get; } =
    [
        new StreamDetector(
            new()
            {
                Key = "adaneg",
                Name = "AdaNeg",
                Family = DetectorFamily.TestTimeAdaptive,
                Authors = "Zhang & Zhang",
                Title = "AdaNeg: Adaptive Negative Proxy Guided OOD Detection with Vision-Language Models",
                Year = 2024,
                Url = new Uri("https://arxiv.org/abs/2410.20149"),
                ReferenceCode = "YBZh/OpenOOD-VLM",
                Equation = "NegLabel of proxies from remembered test images + 0.1 NegLabel of the texts",
                Needs = DetectorInputs.Features | DetectorInputs.Text | DetectorInputs.OodText | DetectorInputs.Stream,
                Member = "AdaNeg.Score",
                Notebook = 9,
                WithoutGolden = "the golden values hold no stream; proxies, memory and order are checked by hand",
                Hyperparameters =
                [
                    new("groups", 5, 100, "fewer than the paper's, as the lists of words here are short"),
                    new("keep", 0.15, 0.15, "the paper's"),
                ],
            },
            fit =>
            {
                Embeddings negatives = NegativeLabels.Mined(fit).Features;
                AdaNegOptions options = new() { LogitScale = fit.Scale, Groups = (int)fit["groups"], Seed = fit.Seed };
                return stream => Score(stream, fit.Text, negatives, options);
            }),
    ];
}
