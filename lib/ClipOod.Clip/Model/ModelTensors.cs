using ClipOod.Autodiff;

namespace ClipOod.Clip;

/// <summary>
/// The tensors of a model by name, whatever the format of their file: safetensors, one or several by an index, or a torch file. They are
/// views into the mapped files until it is disposed.
/// </summary>
internal sealed class ModelTensors : IDisposable
{
    /// <summary>What CLIPN's code calls the learned prompts of its "no" encoder.</summary>
    private const string ClipnPrompts = "prompt_no";

    private const string NoSuffix = "_no";

    private const string Entry = "state_dict.";
    private const string Module = "module.";

    private static readonly string[] _torchEndings = [".pt", ".pth", ".bin", ".ckpt"];

    private readonly IDisposable _file;
    private readonly SortedDictionary<string, SafetensorsTensor> _tensors;

    private ModelTensors(IDisposable file, string path, IEnumerable<KeyValuePair<string, SafetensorsTensor>> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        (_file, Path, Metadata) = (file, path, metadata ?? new Dictionary<string, string>());
        _tensors = new(tensors.ToDictionary(), StringComparer.Ordinal);
    }

    /// <summary>The path that was opened.</summary>
    public string Path { get; }

    /// <summary>The tensors' names, sorted.</summary>
    public IReadOnlyCollection<string> Names => _tensors.Keys;

    /// <summary>Free text by key; empty where the format has none.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Opens a file by its ending: .pt, .pth, .bin and .ckpt are PyTorch's, others safetensors. Dispose the result to close it.</summary>
    /// <exception cref="FileNotFoundException">There is no such file, or not every file of an index.</exception>
    /// <exception cref="InvalidDataException">The file is refused by <see cref="SafetensorsShards.Open"/> or <see cref="TorchFile.Open"/>.</exception>
    public static ModelTensors Open(string path)
    {
        if (_torchEndings.Any(ending => path.EndsWith(ending, StringComparison.OrdinalIgnoreCase)))
        {
            TorchFile file = TorchFile.Open(path);
            return new(file, path, Unwrapped(file.Names).Select(name => KeyValuePair.Create(name.Short, file[name.Stored])));
        }

        SafetensorsShards shards = SafetensorsShards.Open(path);
        return new(shards, path, shards.Names.Select(name => KeyValuePair.Create(name, shards.Find(name)!)), shards.Metadata);
    }

    /// <summary>A tensor by name; null where there is none.</summary>
    public SafetensorsTensor? Find(string name) => _tensors.GetValueOrDefault(name);

    /// <summary>Whether a tensor is of the "no" encoder that CLIPN's checkpoints hold beside CLIP's own.</summary>
    public bool IsOfNoEncoder(string name) => _tensors.ContainsKey(ClipnPrompts) && (name == ClipnPrompts || name.Split('.')[0].EndsWith(NoSuffix, StringComparison.Ordinal));

    /// <summary>
    /// The "no" encoder's tensors of a CLIPN checkpoint under the names of CLIP's text tower, its prompts under the given one; of another
    /// file this itself. The file is this one's to close.
    /// </summary>
    public ModelTensors OfNoEncoder(string promptName) => !_tensors.ContainsKey(ClipnPrompts) ? this : new(_file, Path, _tensors
        .Where(entry => IsOfNoEncoder(entry.Key))
        .Select(entry => KeyValuePair.Create(entry.Key == ClipnPrompts ? promptName : WithoutNo(entry.Key), entry.Value)));

    /// <summary>Closes the files; their tensors can no longer be read.</summary>
    public void Dispose() => _file.Dispose();

    private static string WithoutNo(string name)
    {
        string first = name.Split('.')[0];
        return first[..^NoSuffix.Length] + name[first.Length..];
    }

    /// <summary>
    /// What training loops wrap weights in is taken off: a checkpoint keeps them in one entry beside the optimizer's state, and models
    /// that ran on several devices have them in one module.
    /// </summary>
    private static IEnumerable<(string Short, string Stored)> Unwrapped(IReadOnlyCollection<string> stored)
    {
        string prefix = stored.Any(name => name.StartsWith(Entry, StringComparison.Ordinal)) ? Entry : "";
        string[] own = [.. stored.Where(name => name.StartsWith(prefix, StringComparison.Ordinal))];
        int length = prefix.Length + (own.All(name => name.AsSpan(prefix.Length).StartsWith(Module)) ? Module.Length : 0);
        return own.Select(name => (name[length..], name));
    }
}
