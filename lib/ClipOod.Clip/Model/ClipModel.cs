using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using ClipOod.Autodiff;

namespace ClipOod.Clip;

/// <summary>
/// A CLIP model with a vision transformer: both towers as graphs that ONNX Runtime runs and that can be learned and differentiated, down
/// to the pixels. <see cref="ClipEncoder.EncodeImages(IReadOnlyList{string}, ClipEncodingOptions?, CancellationToken)"/> and
/// <see cref="ClipEncoder.EncodeTexts"/> encode with sessions that are laid out once for speed.
/// </summary>
public sealed class ClipModel : ClipEncoder
{
    // CLIP's first temperature, 0.07 (Radford et al. 2021).
    private static readonly double _firstLogitScale = Math.Log(1 / 0.07);

    private readonly ClipWeights? _weights;
    private readonly Tensor _texts;
    private readonly Tensor _textFeatures;
    private Evaluator? _imageSession;
    private Evaluator? _textSession;
    private Evaluator? _pooledSession;
    private Evaluator? _localSession;
    private Evaluator? _joinedSession;
    private ClipImageOutputs _joinedOutputs;
    private Tensor? _localFeatures;
    private ClipPrecision _precision;
    private string? _hash;

    // The values as they were loaded, as long as nothing was trained: hashing them needs no copies.
    private Dictionary<string, ReadOnlyMemory<float>>? _loaded;

    private ClipModel(ClipConfig config, ClipTokenizer? tokenizer, Func<string, int[], Initial> initial, ClipWeights? weights = null)
        : base(
            new ClipImageProcessor(config.ImageSize, mean: config.ImageMean, standardDeviation: config.ImageStandardDeviation),
            tokenizer, config.EmbeddingWidth, config.ContextLength, config.VocabularySize)
    {
        (Config, _weights) = (config, weights);
        Graph = new Graph("clip");
        ImageTower = new ClipImageTower(Graph, config, initial);
        TextTower = new ClipTextTower(Graph, config, initial);
        LogitScale = Graph.Weight("logit_scale", [], initial("logit_scale", []));
        Pixels = Graph.Input("pixel_values", ElementType.Float, "batch", 3, config.ImageSize, config.ImageSize);
        Ids = Graph.Input("input_ids", ElementType.Int64, "batch", config.ContextLength);
        PooledFeatures = ImageTower.Pool(Pixels);
        ImageFeatures = Graph.Output("image_embeds", ImageTower.Encode(Pixels));
        TextFeatures = Graph.Output("text_embeds", TextTower.Encode(Ids));

        // Encoding cuts rows after their end token, which training with its fixed shapes does not.
        _texts = Graph.Input("texts", ElementType.Int64, "count", "length");
        _textFeatures = TextTower.Encode(_texts);
    }

    /// <summary>The largest logit scale, ln 100, at which CLIP's training holds it (Radford et al. 2021).</summary>
    public static double MaxLogitScale { get; } = Math.Log(100);

    /// <summary>The sizes and the activation.</summary>
    public ClipConfig Config { get; }

    /// <summary>The graph of both towers, to build losses on.</summary>
    public Graph Graph { get; }

    /// <summary>The image tower.</summary>
    public ClipImageTower ImageTower { get; }

    /// <summary>The text tower.</summary>
    public ClipTextTower TextTower { get; }

    /// <summary>The logarithm of the logit scale, a scalar.</summary>
    public Weight LogitScale { get; }

    /// <summary>Input "pixel_values": normalised images, Float, shape (batch, 3, size, size).</summary>
    public Tensor Pixels { get; }

    /// <summary>Input "input_ids": rows of token numbers, Int64, shape (batch, context length).</summary>
    public Tensor Ids { get; }

    /// <summary>Features of <see cref="Pixels"/>, not normalised, shape (batch, embedding width).</summary>
    public Tensor ImageFeatures { get; }

    /// <summary>Features of <see cref="Pixels"/> before the projection, shape (batch, width of the image tower).</summary>
    public Tensor PooledFeatures { get; }

    /// <summary>Features of <see cref="Ids"/>, not normalised, shape (batch, embedding width).</summary>
    public Tensor TextFeatures { get; }

    /// <summary>Scaled cosines of <see cref="ImageFeatures"/> and <see cref="TextFeatures"/>, shape (batch, batch).</summary>
    public Tensor Logits => ClipLosses.Logits(ImageFeatures, TextFeatures, LogitScale);

    /// <summary>
    /// In what numbers it encodes images from now on: single precision unless it is set. Texts, which are few, and the towers' graphs, and so
    /// training and gradients, are in single precision whatever it says. Features of two precisions are not to be mixed.
    /// </summary>
    public ClipPrecision Precision
    {
        get => _precision;
        set
        {
            _ = value.Name();
            if (value != _precision)
            {
                _precision = value;
                CloseSessions();
            }
        }
    }

    /// <inheritdoc/>
    public override string PrecisionName => Precision.Name();

    /// <summary>SHA-256 over the activation and the names and values of all weights: equal whatever layout they were read from.</summary>
    public override string ModelHash => _hash ??= ComputeHash();

    /// <summary>Reads a model.</summary>
    /// <param name="path">Weights, or a folder with them; see <see cref="ClipWeights.Open"/>.</param>
    /// <param name="activation">The activation, where it is not known otherwise; see <see cref="ClipWeights.Open"/>.</param>
    /// <param name="config">The configuration file; null for the one beside the weights.</param>
    /// <param name="tokenizer">The tokenizer; null for the one in the weights' folder, if there is one.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The weights do not fit; see <see cref="ClipWeights.Open"/>.</exception>
    /// <exception cref="ArgumentException">The tokenizer has another number of tokens than the model.</exception>
    public static ClipModel Load(string path, ClipActivation? activation = null, string? config = null, ClipTokenizer? tokenizer = null)
    {
        ClipWeights weights = ClipWeights.Open(path, activation, config);
        try
        {
            tokenizer ??= FindTokenizer(Directory.Exists(path) ? path : Path.GetDirectoryName(Path.GetFullPath(path))!);
            Dictionary<string, ReadOnlyMemory<float>> values = weights.Config.TensorShapes.Keys.ToDictionary(name => name, weights.Values);
            return new ClipModel(weights.Config, tokenizer, (name, _) => Initial.Values(values[name]), weights) { _loaded = values };
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    /// <summary>
    /// A model with random weights, to be trained from scratch. Standard deviations are those of OpenAI's code (its
    /// <c>initialize_parameters</c>), the text tower's rule for both towers.
    /// </summary>
    /// <param name="config">Sizes and activation.</param>
    /// <param name="seed">Seed: the same one gives the same weights.</param>
    /// <param name="tokenizer">The tokenizer, for <see cref="ClipEncoder.EncodeTexts"/>.</param>
    /// <exception cref="ArgumentException">The sizes do not fit together, or the tokenizer has another number of tokens.</exception>
    public static ClipModel Create(ClipConfig config, int seed, ClipTokenizer? tokenizer = null)
    {
        ArgumentNullException.ThrowIfNull(config);
        config.Validate();
        return new ClipModel(config, tokenizer, (name, shape) => FirstValues(config, name, shape, seed));
    }

    /// <summary>A model of its own with the values that this one has now: training it leaves this one as it is.</summary>
    public ClipModel Copy()
    {
        Dictionary<string, Weight> weights = Weights().ToDictionary(entry => entry.Name, entry => entry.Weight);
        return new ClipModel(Config, Tokenizer, (name, _) => Initial.Values(weights[name].Value.Values<float>()));
    }

    /// <summary>
    /// Encodes image files to the image tower's features before its projection, on which PLP and linear probes train (arXiv 2303.05828).
    /// </summary>
    /// <param name="paths">The files.</param>
    /// <param name="options">Batch size, progress; features are as long as the model makes them, whatever it says of normalisation.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <returns>A row for each file that could be decoded, as wide as the image tower; the others are reported in it.</returns>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="InsufficientMemoryException">A batch does not fit into memory; the message says which size does.</exception>
    public ClipEncoding EncodePooled(IReadOnlyList<string> paths, ClipEncodingOptions? options = null, CancellationToken cancellation = default) =>
        EncodeImages(paths, PooledOutput, (options ?? new()) with { Normalize = false }, cancellation);

    /// <summary>Encodes pictures in memory to the image tower's features before its projection.</summary>
    /// <param name="images">The pictures, of any sizes.</param>
    /// <param name="options">Batch size, progress; features are as long as the model makes them, whatever it says of normalisation.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <returns>A row for each picture, as wide as the image tower.</returns>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="InsufficientMemoryException">A batch does not fit into memory; the message says which size does.</exception>
    public ClipEncoding EncodePooled(IReadOnlyList<RgbImage> images, ClipEncodingOptions? options = null, CancellationToken cancellation = default) =>
        EncodeImages(images, PooledOutput, (options ?? new()) with { Normalize = false }, cancellation);

    /// <summary>
    /// Encodes pictures in memory to features of their patches, in the space where texts lie too: the local features of GL-MCM
    /// (arXiv 2304.04521, <see cref="ClipImageTower.Locals"/>).
    /// </summary>
    /// <param name="images">N pictures, of any sizes.</param>
    /// <param name="options">Batch size, progress; features are as long as the model makes them, whatever it says of normalisation.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <returns>A row for each picture: its P patches, row by row, one after the other, each as wide as the embedding; N × P·D values in all.</returns>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="InsufficientMemoryException">A batch does not fit into memory; the message says which size does.</exception>
    public ClipEncoding EncodeLocals(IReadOnlyList<RgbImage> images, ClipEncodingOptions? options = null, CancellationToken cancellation = default) =>
        EncodeImages(images, LocalOutput, (options ?? new()) with { Normalize = false }, cancellation);

    /// <summary>
    /// Encodes images of any source to one or more outputs of the image tower in one run of it, part by part: a part is given as soon as it
    /// is done, while the next ones are prepared. No batch reaches over the end of a part, so the rows of a part do not depend on the others.
    /// </summary>
    /// <param name="names">Names of the images, for the result's sources and failures.</param>
    /// <param name="decode">
    /// Gives the pixels of an image by its place among the names, on several threads; an <see cref="InvalidDataException"/>, <see cref="IOException"/>
    /// or <see cref="UnauthorizedAccessException"/> from it is a failure of that image.
    /// </param>
    /// <param name="partSize">Images in a part but for the last one, failed ones included: a multiple of the batch size.</param>
    /// <param name="outputs">What to compute.</param>
    /// <param name="options">Batch size, progress over all images; features are as long as the model makes them, whatever it says of normalisation.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <returns>
    /// The parts in order; a row holds the outputs asked for, one after the other in the order of <see cref="ClipImageOutputs"/>, and
    /// indices count from the first of all images.
    /// </returns>
    /// <exception cref="ArgumentException">The size of a part is no multiple of the batch size, or no output was asked for.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="InsufficientMemoryException">A batch does not fit into memory; the message says which size does.</exception>
    public IEnumerable<ClipEncoding> EncodeParts(
        IReadOnlyList<string> names, Func<int, RgbImage> decode, int partSize, ClipImageOutputs outputs, ClipEncodingOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(names);
        ArgumentNullException.ThrowIfNull(decode);
        options = (options ?? new()) with { Normalize = false };
        if (partSize < 1 || partSize % options.BatchSize != 0)
        {
            throw new ArgumentException($"Got parts of {partSize} images, expected a multiple of the batch size {options.BatchSize}.", nameof(partSize));
        }

        return EncodeParts(
            names,
            (i, room, small) =>
            {
                RgbImage image = decode(i);
                ImageProcessor.Process(image, room);
                return small?.ResizeAndCrop(image);
            },
            partSize, OutputOf(outputs), options, cancellation);
    }

    /// <summary>The number of values that each image has in an output.</summary>
    /// <param name="outputs">One output, or several in a row.</param>
    public int WidthOf(ClipImageOutputs outputs) =>
        (outputs.HasFlag(ClipImageOutputs.Embedding) ? Config.EmbeddingWidth : 0)
        + (outputs.HasFlag(ClipImageOutputs.Pooled) ? Config.Vision.Width : 0)
        + (outputs.HasFlag(ClipImageOutputs.Patches) ? Config.Patches * Config.EmbeddingWidth : 0);

    /// <summary>
    /// Writes the model in OpenAI's layout with its configuration as metadata, so that <see cref="Load"/> reads it without more. The file
    /// appears under its name when it is complete.
    /// </summary>
    /// <param name="path">The .safetensors file; one of this name is replaced.</param>
    /// <param name="halfPrecision">Whether to write 16-bit floats: half the size, a relative error of up to 2⁻¹¹.</param>
    public void Save(string path, bool halfPrecision = false) => Save(path, [], halfPrecision);

    /// <summary>
    /// Makes encoding see weights that have changed since the first encoding. <see cref="ClipTrainer"/> calls it; who trains otherwise
    /// calls it after training.
    /// </summary>
    public void Refresh()
    {
        CloseSessions();
        (_hash, _loaded) = (null, null);
    }

    /// <summary>Closes sessions and files; the model can no longer be used.</summary>
    public override void Dispose()
    {
        Refresh();
        _weights?.Dispose();
    }

    internal static SafetensorsTensor ToSafetensors(string name, TensorValue value)
    {
        int[] shape = [.. value.Shape.Select(size => (int)size)];
        return value.Type == ElementType.Int64
            ? SafetensorsTensor.FromInt64s(name, shape, value.Values<long>())
            : SafetensorsTensor.FromSingles(name, shape, value.Values<float>());
    }

    internal void Save(string path, IEnumerable<SafetensorsTensor> more, bool halfPrecision = false) => Safetensors.Write(
        path,
        Weights().Select(entry => halfPrecision
            ? SafetensorsTensor.FromSinglesAsHalf(entry.Name, [.. entry.Weight.Value.Shape.Select(size => (int)size)], entry.Weight.Value.Values<float>())
            : ToSafetensors(entry.Name, entry.Weight.Value)).Concat(more),
        new Dictionary<string, string> { ["config"] = ClipConfigFile.Write(Config) });

    /// <summary>The model's own weights, without those that others have added to its graph, sorted by name.</summary>
    internal IEnumerable<(string Name, Weight Weight)> Weights() =>
        ImageTower.Weights.Concat(TextTower.Weights)
            .Append(new("logit_scale", LogitScale))
            .OrderBy(entry => entry.Key, StringComparer.Ordinal)
            .Select(entry => (entry.Key, entry.Value));

    private void CloseSessions()
    {
        _imageSession?.Dispose();
        _textSession?.Dispose();
        _pooledSession?.Dispose();
        _localSession?.Dispose();
        _joinedSession?.Dispose();
        (_imageSession, _textSession, _pooledSession, _localSession, _joinedSession) = (null, null, null, null, null);
    }

    private Evaluator Session(IReadOnlyList<Tensor> outputs) => new(outputs, constantWeights: true, quantized: Precision == ClipPrecision.Int8);

    private protected override float[] EncodePixels(Memory<float> pixels, int count)
    {
        _imageSession ??= Session([ImageFeatures]);
        return _imageSession.Run((Pixels.Name, pixels))[0].Values<float>();
    }

    private PixelEncoder PooledOutput => new(Config.Vision.Width, (pixels, _) =>
    {
        _pooledSession ??= Session([PooledFeatures]);
        return _pooledSession.Run((Pixels.Name, pixels))[0].Values<float>();
    });

    private PixelEncoder LocalOutput => new(Config.Patches * Config.EmbeddingWidth, (pixels, _) =>
    {
        _localSession ??= Session([_localFeatures ??= ImageTower.Locals(Pixels)]);
        return _localSession.Run((Pixels.Name, pixels))[0].Values<float>();
    });

    /// <summary>Several outputs of one run, joined row by row.</summary>
    private PixelEncoder OutputOf(ClipImageOutputs outputs)
    {
        ClipImageOutputs[] wanted = [.. Enum.GetValues<ClipImageOutputs>().Where(output => outputs.HasFlag(output))];
        if (wanted.Length == 0 || (outputs & ~(ClipImageOutputs.Embedding | ClipImageOutputs.Pooled | ClipImageOutputs.Patches)) != 0)
        {
            throw new ArgumentException($"Got '{outputs}', expected one or more of {string.Join(", ", Enum.GetNames<ClipImageOutputs>())}.", nameof(outputs));
        }

        int width = WidthOf(outputs);
        return new(width, (pixels, count) =>
        {
            if (_joinedSession is null || _joinedOutputs != outputs)
            {
                _joinedSession?.Dispose();
                _joinedSession = Session([.. wanted.Select(TensorOf)]);
                _joinedOutputs = outputs;
            }

            float[] joined = new float[count * width];
            int at = 0;
            foreach (TensorValue output in _joinedSession.Run((Pixels.Name, pixels)))
            {
                float[] values = output.Values<float>();
                int own = values.Length / count;
                for (int row = 0; row < count; row++)
                {
                    values.AsSpan(row * own, own).CopyTo(joined.AsSpan((row * width) + at));
                }

                at += own;
            }

            return joined;
        });
    }

    private Tensor TensorOf(ClipImageOutputs output) => output switch
    {
        ClipImageOutputs.Embedding => ImageFeatures,
        ClipImageOutputs.Pooled => PooledFeatures,
        _ => _localFeatures ??= ImageTower.Locals(Pixels),
    };

    private protected override float[] EncodeIds(long[] ids, int count, int length)
    {
        _textSession ??= new Evaluator([_textFeatures], constantWeights: true);
        return _textSession.Run((_texts.Name, TensorValue.Of(ids, count, length)))[0].Values<float>();
    }

    private string ComputeHash()
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(Config.Activation.ToString()));
        foreach ((string name, Weight weight) in Weights())
        {
            hash.AppendData(Encoding.UTF8.GetBytes(name));
            hash.AppendData(MemoryMarshal.AsBytes(_loaded is null ? weight.Value.Values<float>() : _loaded[name].Span));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static ClipTokenizer? FindTokenizer(string folder)
    {
        try
        {
            return ClipTokenizer.Load(folder);
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    private static Initial FirstValues(ClipConfig config, string name, int[] shape, int seed)
    {
        // A generator of its own for each tensor, the same on every platform: the seed and the name decide.
        int own = BitConverter.ToInt32(SHA256.HashData(Encoding.UTF8.GetBytes($"{seed} {name}")));
        ClipTransformerSizes tower = name.StartsWith("visual.", StringComparison.Ordinal) ? config.Vision : config.Text;
        double scale = 1 / Math.Sqrt(tower.Width);
        string kind = name[(name.LastIndexOf("resblocks.", StringComparison.Ordinal) is >= 0 and int at ? name.IndexOf('.', at + 10) + 1 : 0)..];
        return kind switch
        {
            "logit_scale" => Initial.Constant(_firstLogitScale),
            "visual.conv1.weight" => Initial.Normal(1 / Math.Sqrt(3.0 * shape[2] * shape[3]), own),
            "token_embedding.weight" => Initial.Normal(0.02, own),
            "positional_embedding" => Initial.Normal(0.01, own),
            "attn.out_proj.weight" or "mlp.c_proj.weight" => Initial.Normal(scale / Math.Sqrt(2 * tower.Layers), own),
            "mlp.c_fc.weight" => Initial.Normal(scale / Math.Sqrt(2), own),
            _ when kind.EndsWith("bias", StringComparison.Ordinal) => Initial.Constant(0),
            _ when kind.Contains("ln_", StringComparison.Ordinal) => Initial.Constant(1),
            _ => Initial.Normal(scale, own),
        };
    }
}
