using System.Text.Json;
using ClipOod.Clip;

namespace ClipOod.Notebook;

/// <summary>CLIP models on this machine: fetched ones by the names of the catalogue, others by their files.</summary>
internal static class LocalModels
{
    /// <summary>The name of a model: that of the catalogue, or that of its file or folder.</summary>
    /// <param name="model">A name of the catalogue, or a path.</param>
    public static string NameOf(string model) => SourceCatalog.Find(model) is { Kind: SourceKind.Weights }
        ? model
        : Path.GetFileNameWithoutExtension(Path.TrimEndingDirectorySeparator(Path.GetFullPath(model)));

    /// <summary>Whether the weights of a name are here.</summary>
    /// <param name="model">A name of the catalogue, or a path.</param>
    public static bool IsHere(string model) => SourceCatalog.Find(model) is { Kind: SourceKind.Weights } entry
        ? entry.IsHere
        : File.Exists(model) || Directory.Exists(model);

    /// <summary>Reads a model.</summary>
    /// <param name="model">A name of the catalogue, or weights or a folder with them (<see cref="ClipWeights.Open"/>).</param>
    /// <exception cref="FileNotFoundException">It is not here; the message says how to get it.</exception>
    /// <exception cref="InvalidDataException">The weights are broken, or not those of a CLIP that is supported.</exception>
    public static ClipModel Load(string model)
    {
        if (SourceCatalog.Find(model) is not { Kind: SourceKind.Weights } entry)
        {
            return IsHere(model)
                ? ClipModel.Load(model)
                : throw new FileNotFoundException(
                    $"There is no model '{model}': it is no file or folder, and the catalogue's weights are {Nearest.Of(model, SourceCatalog.All.Where(known => known.Kind == SourceKind.Weights).Select(known => known.Name))}.");
        }

        if (!entry.IsHere)
        {
            throw new FileNotFoundException($"The weights of {model} are not here: {entry.Folder} lacks them. Get them: clipood fetch {model}");
        }

        string weights = WeightsOf(entry);
        ClipTokenizer? tokenizer = entry.Files.Any(file => file.Path is "vocab.json" or "tokenizer.json") ? null : AnyTokenizer();
        if (entry.Model is not { } stated || File.Exists(Path.Combine(entry.Folder, "open_clip_config.json")) || File.Exists(Path.Combine(entry.Folder, "config.json")))
        {
            return ClipModel.Load(weights, tokenizer: tokenizer);
        }

        if (stated.Resize != "shortest")
        {
            throw new InvalidDataException($"{model} wants its images resized by '{stated.Resize}', which is not done here: its features would be silently worse. Take another model.");
        }

        // What the catalogue knows, where no configuration came with the weights; their sizes are read off the tensors.
        string config = Path.GetTempFileName();
        try
        {
            File.WriteAllText(config, JsonSerializer.Serialize(new Dictionary<string, object>
            {
                ["activation"] = stated.Activation == "quickgelu" ? "quick_gelu" : stated.Activation,
                ["image_mean"] = stated.Mean,
                ["image_std"] = stated.Std,
            }));
            return ClipModel.Load(weights, config: config, tokenizer: tokenizer);
        }
        finally
        {
            File.Delete(config);
        }
    }

    /// <summary>The file of an entry's weights.</summary>
    public static string WeightsOf(SourceEntry entry) =>
        entry.PathOf(entry.Files.First(file => Path.GetExtension(file.Path) is ".safetensors" or ".bin" or ".pt" or ".pth"));

    // All CLIP models of the catalogue have one vocabulary; a checkpoint of CLIPN comes without it.
    private static ClipTokenizer? AnyTokenizer() => SourceCatalog.All
        .Where(entry => entry.Kind == SourceKind.Weights && File.Exists(Path.Combine(entry.Folder, "vocab.json")))
        .Select(entry => ClipTokenizer.Load(entry.Folder))
        .FirstOrDefault();
}
