using ClipOod.Autodiff;

namespace ClipOod.Clip;

/// <summary>
/// The weights of a CLIP model in safetensors or a torch file, of any <see cref="ClipLayout"/> and of any floating-point type, with the
/// configuration that they come with.
/// Everything is checked when they are opened; the tensors stay in the mapped file until they are asked for.
/// </summary>
public sealed class ClipWeights : IDisposable
{
    /// <summary>What a trainer adds to a checkpoint begins with this; models are read without it.</summary>
    internal const string TrainerPrefix = "trainer.";

    private static readonly string[] _fileNames =
    [
        "model.safetensors", "model.safetensors.index.json", "open_clip_model.safetensors", "open_clip_model.safetensors.index.json",
        "pytorch_model.bin", "open_clip_pytorch_model.bin",
    ];

    // OpenAI's archives hold these numbers among the weights, and no other file does.
    private static readonly string[] _openAiMarks = ["context_length", "input_resolution", "vocab_size"];

    private readonly ModelTensors _tensors;
    private readonly IReadOnlyDictionary<string, IReadOnlyList<int>> _shapes;

    private ClipWeights(ModelTensors tensors, ClipLayout layout, ClipConfig config, IReadOnlyDictionary<string, IReadOnlyList<int>> shapes) =>
        (_tensors, Layout, Config, _shapes) = (tensors, layout, config, shapes);

    /// <summary>The layout that the tensors' names are of.</summary>
    public ClipLayout Layout { get; }

    /// <summary>The sizes and the activation.</summary>
    public ClipConfig Config { get; }

    /// <summary>The file that was opened.</summary>
    public string Path => _tensors.Path;

    /// <summary>Opens weights and checks that they are all there, in the shapes that the configuration asks for.</summary>
    /// <param name="path">
    /// A .safetensors file, an index of several (.safetensors.index.json), a torch file (.pt, .pth, .bin, .ckpt), of which nothing is
    /// executed, or a folder that holds model.safetensors, open_clip_model.safetensors, the index of either, pytorch_model.bin or
    /// open_clip_pytorch_model.bin. Of a torch file the tensors within state_dict count, if there are any, without "module." before their
    /// names: OpenAI's archives, Hugging Face's and OpenCLIP's weights and CLIPN's checkpoints.
    /// </param>
    /// <param name="activation">The activation, where neither a configuration nor the weights themselves tell it.</param>
    /// <param name="config">
    /// The configuration file, of Hugging Face's or OpenCLIP's form; where null, the one beside the weights: NAME.config.json for
    /// NAME.safetensors, else config.json (Hugging Face's layout) or open_clip_config.json (the other layouts), else the metadata entry
    /// "config". Sizes that it does not give are read off the tensors.
    /// </param>
    /// <exception cref="FileNotFoundException">There is no such file, or none in the folder.</exception>
    /// <exception cref="InvalidDataException">
    /// Tensors are missing, unknown or of the wrong shape (all are listed); or the activation is not known, or contradicts what is known:
    /// OpenAI's weights are recognised by the tensors input_resolution, context_length and vocab_size and by the name in a Hugging Face
    /// configuration, and are refused with GELU.
    /// </exception>
    public static ClipWeights Open(string path, ClipActivation? activation = null, string? config = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        string file = FileOf(path);
        ModelTensors tensors = ModelTensors.Open(file);
        try
        {
            ClipLayout layout = LayoutOf(tensors);
            ClipConfigFile stated = ReadConfig(tensors, layout, config);
            ClipActivation known = ActivationOf(tensors, stated, activation);
            ClipConfig complete = Complete(tensors, layout, stated, known);
            IReadOnlyDictionary<string, IReadOnlyList<int>> shapes = complete.TensorShapes;
            Check(tensors, layout, shapes, complete.ToString());
            return new ClipWeights(tensors, layout, complete, shapes);
        }
        catch
        {
            tensors.Dispose();
            throw;
        }
    }

    /// <summary>The values of a tensor: a view of the mapped file where it stores them so (F32, not Hugging Face's layout), else a copy.</summary>
    /// <param name="name">OpenAI's name, whatever the layout: a key of <see cref="ClipConfig.TensorShapes"/>.</param>
    /// <exception cref="ArgumentException">The model has no such tensor.</exception>
    public ReadOnlyMemory<float> Values(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return _shapes.ContainsKey(name)
            ? Read(_tensors, Layout, name)
            : throw new ArgumentException($"The model has no tensor '{name}'. It has: {string.Join(", ", _shapes.Keys)}.", nameof(name));
    }

    /// <summary>Closes the files. Views of them can no longer be read.</summary>
    public void Dispose() => _tensors.Dispose();

    /// <summary>The values of a tensor that <see cref="Check"/> has found.</summary>
    internal static ReadOnlyMemory<float> Read(ModelTensors tensors, ClipLayout layout, string name)
    {
        (string[] names, bool transposed) = ClipLayouts.Stored(name, layout);
        SafetensorsTensor[] parts = [.. names.Select(part => tensors.Find(part)!)];
        if (parts.Length > 1)
        {
            float[] joined = new float[parts.Sum(part => part.Count)];
            int at = 0;
            foreach (SafetensorsTensor part in parts)
            {
                part.CopyTo(joined.AsSpan(at));
                at += (int)part.Count;
            }

            return joined;
        }

        return transposed ? Transpose(parts[0]) : parts[0].AsSingles();
    }

    /// <summary>Compares the tensors that there are with those that a model has, by OpenAI's names.</summary>
    /// <exception cref="InvalidDataException">They differ; all differences are listed.</exception>
    internal static void Check(ModelTensors tensors, ClipLayout layout, IReadOnlyDictionary<string, IReadOnlyList<int>> shapes, string model)
    {
        SortedSet<string> unknown = new(tensors.Names.Where(name => !IsIgnored(name) && !tensors.IsOfNoEncoder(name)), StringComparer.Ordinal);
        List<string> wrong = [];
        foreach ((string name, IReadOnlyList<int> shape) in shapes)
        {
            (string[] names, bool transposed) = ClipLayouts.Stored(name, layout);
            int[] stored = transposed ? [.. shape.Reverse()] : [shape.Count > 0 ? shape[0] / names.Length : 1, .. shape.Skip(1)];
            foreach (string part in names)
            {
                unknown.Remove(part);
                SafetensorsTensor? found = tensors.Find(part);

                // A number is stored with the shape [] or [1].
                if (found is null || !(shape.Count == 0 ? found.Count == 1 : found.Shape.SequenceEqual(stored)))
                {
                    wrong.Add($"'{part}': expected {Describe(stored)}, found {(found is null ? "none" : Describe(found.Shape))}");
                }
                else if (found.DType is not (SafetensorsType.BF16 or SafetensorsType.F16 or SafetensorsType.F32 or SafetensorsType.F64))
                {
                    wrong.Add($"'{part}': expected BF16, F16, F32 or F64, found {found.DType}");
                }
            }
        }

        wrong.AddRange(unknown.Select(name => $"'{name}': expected none, found {Describe(tensors.Find(name)!.Shape)}"));
        if (wrong.Count > 0)
        {
            throw new InvalidDataException(
                $"{tensors.Path}: {wrong.Count} tensors do not fit the model ({model}):{Environment.NewLine}  {string.Join($"{Environment.NewLine}  ", wrong)}{Environment.NewLine}"
                + "Check that weights and configuration belong together.");
        }
    }

    /// <summary>The layout whose tensors there are.</summary>
    internal static ClipLayout LayoutOf(ModelTensors tensors) =>
        Enum.GetValues<ClipLayout>().Cast<ClipLayout?>().FirstOrDefault(layout => tensors.Find(ClipLayouts.Stored("token_embedding.weight", layout!.Value).Names[0]) is not null)
        ?? Enum.GetValues<ClipLayout>().Cast<ClipLayout?>().FirstOrDefault(layout => tensors.Find(ClipLayouts.Stored("visual.conv1.weight", layout!.Value).Names[0]) is not null)
        ?? throw new InvalidDataException(
            $"{tensors.Path}: these are no weights of a CLIP model with a vision transformer, in OpenAI's, Hugging Face's or OpenCLIP's names: expected "
            + $"'token_embedding.weight', 'text_model.embeddings.token_embedding.weight' or 'text.token_embedding.weight', found {string.Join(", ", tensors.Names.Take(5).Select(name => $"'{name}'"))}{(tensors.Names.Count > 5 ? ", …" : "")}.");

    private static bool IsIgnored(string name) =>
        _openAiMarks.Contains(name)
        || name.EndsWith(".position_ids", StringComparison.Ordinal)
        || name.StartsWith(TrainerPrefix, StringComparison.Ordinal);

    private static string FileOf(string path)
    {
        if (!Directory.Exists(path))
        {
            return path;
        }

        return _fileNames.Select(name => System.IO.Path.Combine(path, name)).FirstOrDefault(File.Exists)
            ?? throw new FileNotFoundException($"The folder '{path}' holds no weights: expected {string.Join(" or ", _fileNames)}.", path);
    }

    private static ClipConfigFile ReadConfig(ModelTensors tensors, ClipLayout layout, string? path)
    {
        string folder = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(tensors.Path))!;
        string own = System.IO.Path.ChangeExtension(tensors.Path, ".config.json");
        string usual = System.IO.Path.Combine(folder, layout == ClipLayout.HuggingFace ? "config.json" : "open_clip_config.json");
        string? file = path ?? new[] { own, usual }.FirstOrDefault(File.Exists);
        if (file is null)
        {
            return tensors.Metadata.TryGetValue("config", out string? json) ? ClipConfigFile.Parse(json, $"{tensors.Path}, metadata") : new ClipConfigFile();
        }

        ClipConfigFile config = ClipConfigFile.Parse(File.ReadAllText(file), file);
        string preprocessor = System.IO.Path.Combine(folder, "preprocessor_config.json");
        return layout == ClipLayout.HuggingFace && File.Exists(preprocessor)
            ? config.WithPreprocessor(File.ReadAllText(preprocessor), preprocessor)
            : config;
    }

    private static ClipActivation ActivationOf(ModelTensors tensors, ClipConfigFile stated, ClipActivation? asked)
    {
        ClipActivation? activation = asked ?? stated.Activation;
        if (asked != stated.Activation && asked is not null && stated.Activation is not null)
        {
            throw new InvalidDataException($"{tensors.Path}: {asked} was asked for, but {stated.Source} says {stated.Activation}. Weights work with their own activation only; leave it out.");
        }

        string? mark = Array.Find(_openAiMarks, name => tensors.Find(name) is not null);
        if ((mark is not null || stated.IsOpenAi) && activation == ClipActivation.Gelu)
        {
            string why = mark is not null ? $"it holds '{mark}'" : $"{stated.Source} names them";
            throw new InvalidDataException(
                $"{tensors.Path}: these are OpenAI's weights ({why}), which need QuickGelu; {(asked is null ? stated.Source : "the caller")} says Gelu, with which they would be silently worse.");
        }

        return activation ?? (mark is not null
            ? ClipActivation.QuickGelu
            : throw new InvalidDataException(
                $"{tensors.Path}: the activation is not known: {stated.Source} does not say it and shapes do not show it. Put the model's configuration beside it, "
                + "or say QuickGelu (OpenAI's weights) or Gelu (most of OpenCLIP's); the wrong one would be silently worse."));
    }

    /// <summary>The configuration with what it leaves out read off the tensors.</summary>
    private static ClipConfig Complete(ModelTensors tensors, ClipLayout layout, ClipConfigFile stated, ClipActivation activation)
    {
        SortedSet<string> missing = new(StringComparer.Ordinal);
        int size(int? said, string name, int axis)
        {
            (string[] names, bool transposed) = ClipLayouts.Stored(name, layout);
            IReadOnlyList<int> shape = tensors.Find(names[0])?.Shape ?? [];
            int at = transposed ? shape.Count - 1 - axis : axis;
            if (said is null && (at < 0 || at >= shape.Count))
            {
                missing.Add(names[0]);
            }

            return said ?? (at >= 0 && at < shape.Count ? shape[at] : 1);
        }

        ClipTransformerSizes tower(ClipConfigFile.Tower said, Func<ClipConfig, ClipTransformerSizes> which, string prefix, string widthName, int widthAxis)
        {
            int layers = said.Layers ?? Enumerable.Range(0, int.MaxValue)
                .First(layer => tensors.Find(ClipLayouts.Stored($"{prefix}transformer.resblocks.{layer}.ln_1.weight", layout).Names[0]) is null);
            int width = size(said.Width, widthName, widthAxis);
            return new(width, layers, said.Heads ?? ClipConfig.UsualHeads(which, width, layers), size(said.MlpWidth, $"{prefix}transformer.resblocks.0.mlp.c_fc.weight", 0));
        }

        int patch = size(stated.PatchSize, "visual.conv1.weight", 2);
        int tokens = size(stated.ImageSize is null ? null : 1, "visual.positional_embedding", 0);
        ClipConfig config = new()
        {
            EmbeddingWidth = size(stated.EmbeddingWidth, "visual.proj", 1),
            ImageSize = stated.ImageSize ?? patch * (int)Math.Round(Math.Sqrt(tokens - 1)),
            PatchSize = patch,
            Vision = tower(stated.Vision, config => config.Vision, "visual.", "visual.conv1.weight", 0),
            ContextLength = size(stated.ContextLength, "positional_embedding", 0),
            VocabularySize = size(stated.VocabularySize, "token_embedding.weight", 0),
            Text = tower(stated.Text, config => config.Text, "", "token_embedding.weight", 1),
            Activation = activation,
            LayerNormEpsilon = stated.LayerNormEpsilon ?? 1e-5,
            ImageMean = stated.Mean ?? ClipImageProcessor.ClipMean,
            ImageStandardDeviation = stated.StandardDeviation ?? ClipImageProcessor.ClipStandardDeviation,
        };
        if (missing.Count > 0)
        {
            throw new InvalidDataException(
                $"{tensors.Path}: the model's sizes are not known: {stated.Source} does not say them and the tensors that show them are missing: {string.Join(", ", missing)}.");
        }

        try
        {
            config.Validate();
            return config;
        }
        catch (ArgumentException error)
        {
            throw new InvalidDataException($"{tensors.Path} with {stated.Source}: {error.Message}", error);
        }
    }

    private static float[] Transpose(SafetensorsTensor tensor)
    {
        float[] values = tensor.ToSingles();
        float[] result = new float[values.Length];
        (int rows, int columns) = (tensor.Shape[0], tensor.Shape[1]);
        for (int row = 0; row < rows; row++)
        {
            for (int column = 0; column < columns; column++)
            {
                result[(column * rows) + row] = values[(row * columns) + column];
            }
        }

        return result;
    }

    private static string Describe(IEnumerable<int> shape) => $"[{string.Join(", ", shape)}]";
}
