using System.Text.Json;
using System.Text.Json.Serialization;

namespace ClipOod.Notebook;

/// <summary>
/// What can be fetched: weights, data sets and published features, from <c>data/catalogue.json</c>, with the addresses, sizes and hashes
/// that were read in public code. None was tried when the list was made.
/// </summary>
internal static class SourceCatalog
{
    private static readonly JsonSerializerOptions _format = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    private static readonly Lazy<IReadOnlyList<SourceEntry>> _all = new(() =>
    {
        using Stream file = typeof(SourceCatalog).Assembly.GetManifestResourceStream("catalogue.json")!;
        using StreamReader reader = new(file);
        return Read(reader.ReadToEnd(), "data/catalogue.json");
    });

    /// <summary>Every entry, in the order of the file: weights, data sets, features.</summary>
    public static IReadOnlyList<SourceEntry> All => _all.Value;

    /// <summary>The entry of a name; null where there is none.</summary>
    /// <param name="name">Such as "openai-vit-b-32".</param>
    public static SourceEntry? Find(string name) => All.FirstOrDefault(entry => entry.Name == name);

    /// <summary>Reads entries.</summary>
    /// <param name="json">The text of a catalogue.</param>
    /// <param name="name">What to call it.</param>
    /// <exception cref="InvalidDataException">
    /// It is no such list, a name is there twice, a path leaves its folder, or a file has no address although nothing says how to get it.
    /// </exception>
    internal static IReadOnlyList<SourceEntry> Read(string json, string name)
    {
        SourceEntry[] entries;
        try
        {
            entries = JsonSerializer.Deserialize<SourceEntry[]>(json, _format) ?? throw new JsonException("It is empty.");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{name} is no catalogue: {e.Message}", e);
        }

        HashSet<string> names = [];
        foreach (SourceEntry entry in entries)
        {
            string? problem = !names.Add(entry.Name) ? "its name is there twice"
                : !IsFileName(entry.Name) ? "its name is no name of a folder"
                : entry.Files.Count == 0 ? "it has no files"
                : entry.Files.FirstOrDefault(file => !file.Path.Split('/').All(IsFileName)) is { } outside ? $"the path '{outside.Path}' leaves its folder"
                : entry.Files.Select(file => file.Path).Distinct(StringComparer.OrdinalIgnoreCase).Count() < entry.Files.Count ? "two of its files have one path"
                : entry.Manual is null && entry.Files.FirstOrDefault(file => file.Address is null) is { } lost ? $"'{lost.Path}' has no address, and \"manual\" does not say how to get it"
                : null;
            if (problem is not null)
            {
                throw new InvalidDataException($"{name}, entry '{entry.Name}': {problem}.");
            }
        }

        return entries;
    }

    private static bool IsFileName(string name) =>
        name.Length > 0 && name is not ("." or "..") && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '-' or '_' or '+');
}

/// <summary>What an entry of the catalogue is; also the name of the folder that it lies in.</summary>
internal enum SourceKind
{
    /// <summary>Weights and vocabulary of a CLIP model.</summary>
    Weights,

    /// <summary>Images, as their publisher packs them.</summary>
    Datasets,

    /// <summary>Features that somebody computed and published, of which a world is made.</summary>
    Features,
}

/// <summary>Something that can be fetched.</summary>
/// <param name="Name">Such as "openai-vit-b-32"; also the name of its folder.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Title">Such as "OpenAI CLIP ViT-B/32".</param>
/// <param name="Purpose">What it is for.</param>
/// <param name="Licence">As its publisher states it.</param>
/// <param name="Citation">Whose work it is.</param>
/// <param name="Files">One or more.</param>
/// <param name="Classes">Published number of classes, of a data set.</param>
/// <param name="Images">Published number of images, of a data set without splits.</param>
/// <param name="Splits">Published number of images by official split.</param>
/// <param name="Layout">How its files are laid out inside.</param>
/// <param name="Gated">Whether its publisher asks for a registration or a consent first.</param>
/// <param name="Manual">What to do by hand where no program may or can download it.</param>
/// <param name="Note">What else one should know.</param>
/// <param name="Model">What weights do not say of themselves.</param>
internal sealed record SourceEntry(
    string Name,
    SourceKind Kind,
    string Title,
    string Purpose,
    string Licence,
    string Citation,
    IReadOnlyList<SourceFile> Files,
    int? Classes = null,
    int? Images = null,
    IReadOnlyDictionary<string, int>? Splits = null,
    string? Layout = null,
    bool Gated = false,
    string? Manual = null,
    string? Note = null,
    SourceModel? Model = null)
{
    /// <summary>The sum of the sizes that are known, in bytes.</summary>
    [JsonIgnore]
    public long KnownBytes => Files.Sum(file => file.Bytes ?? 0);

    /// <summary>Where its files lie, or will.</summary>
    [JsonIgnore]
    public string Folder => Kind switch
    {
        SourceKind.Weights => LocalData.Weights(Name),
        SourceKind.Datasets => LocalData.Dataset(Name),
        _ => Path.Combine(LocalData.Features(Name), "published"),
    };

    /// <summary>Whether all files that it cannot do without are there, under their final names: they were verified before they got them.</summary>
    [JsonIgnore]
    public bool IsHere => Files.All(file => file.Optional || File.Exists(PathOf(file)));

    /// <summary>Where one of its files lies, or will.</summary>
    /// <param name="file">One of <see cref="Files"/>.</param>
    public string PathOf(SourceFile file) => Path.Combine([Folder, .. file.Path.Split('/')]);
}

/// <summary>A file of an entry.</summary>
/// <param name="Path">Its path below the entry's folder, with slashes.</param>
/// <param name="Address">https://…, or <c>hf://[datasets/]owner/name@revision/path</c> on the hub; null where it is got by hand.</param>
/// <param name="Bytes">Its size, where one was published.</param>
/// <param name="Sha256">Its SHA-256 as 64 hexadecimal digits, where one was published.</param>
/// <param name="Md5">Its MD5 as 32 hexadecimal digits, where one was published.</param>
/// <param name="Mirrors">Other addresses of the same bytes.</param>
/// <param name="Stale">SHA-256 of what the address held before, which other lists may still name.</param>
/// <param name="Optional">Whether the entry is of use without it.</param>
internal sealed record SourceFile(
    string Path,
    string? Address = null,
    long? Bytes = null,
    string? Sha256 = null,
    string? Md5 = null,
    IReadOnlyList<string>? Mirrors = null,
    IReadOnlyList<string>? Stale = null,
    bool Optional = false);

/// <summary>What the files of weights do not say of themselves, or say in a file that may be missing.</summary>
/// <param name="Layout">Whose names the tensors have: "openclip" or "openai".</param>
/// <param name="Activation">"quickgelu" or "gelu".</param>
/// <param name="Mean">Mean of red, green and blue that images are normalised with, of values from 0 to 1.</param>
/// <param name="Std">Their standard deviation.</param>
/// <param name="Resize">"shortest": the shorter side to the model's size, then the centre; "squash": both sides.</param>
internal sealed record SourceModel(string Layout, string Activation, IReadOnlyList<double> Mean, IReadOnlyList<double> Std, string Resize);
