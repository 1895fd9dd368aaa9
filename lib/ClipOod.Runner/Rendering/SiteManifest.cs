using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using ClipOod.Runner.Execution;

namespace ClipOod.Runner.Rendering;

/// <summary>
/// What a site knows of its pages, beside the pages: so a run of one notebook can list the others, and only what is in
/// here is ever replaced or removed. It lies in the site as <c>site.json</c>.
/// </summary>
/// <param name="Worlds">The worlds of the site, the default one first.</param>
internal sealed partial record SiteManifest(IReadOnlyList<SiteWorld> Worlds)
{
    public const string FileName = "site.json";

    private static readonly JsonSerializerOptions _format = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Reads the manifest of a site; pages whose file is gone are left out. Empty where there is none.</summary>
    /// <param name="site">The folder of the site.</param>
    /// <exception cref="InvalidDataException">The file is no manifest.</exception>
    public static SiteManifest Load(string site)
    {
        string path = Path.Combine(site, FileName);
        if (!File.Exists(path))
        {
            return new SiteManifest([]);
        }

        try
        {
            SiteManifest manifest = JsonSerializer.Deserialize<SiteManifest>(File.ReadAllText(path), _format)!;
            return new SiteManifest([.. manifest.Worlds.Select(world =>
                world with { Pages = [.. world.Pages.Where(page => File.Exists(Path.Combine(site, world.Folder, page.File)))] })]);
        }
        catch (Exception e) when (e is JsonException or NullReferenceException or ArgumentNullException)
        {
            throw new InvalidDataException($"{path}: not the manifest of a site: {e.Message} Put the file back, or remove the site's folder and run again.", e);
        }
    }

    /// <summary>The manifest as the text of its file.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, _format) + "\n";

    /// <summary>Every file that is the site's own, relative to its folder, with <c>/</c>.</summary>
    public IEnumerable<string> Files() =>
    [
        FileName, "index.html",
        .. SiteWriter.Assets.Select(name => $"assets/{name}"),
        .. Worlds.SelectMany(world => world.Pages.Select(page => $"{world.Folder}/{page.File}").Append($"{world.Folder}/index.html")),
    ];

    /// <summary>The world of a name; a new one without pages where the site has none.</summary>
    public SiteWorld World(string name) => Worlds.FirstOrDefault(world => world.Name == name) ?? new SiteWorld(name, "", []);

    /// <summary>The manifest with a world in place of the one of that name.</summary>
    public SiteManifest With(SiteWorld changed) => new([.. Worlds.Where(world => world.Name != changed.Name).Append(changed)
        .OrderBy(world => Notebook.World.Names.Contains(world.Name) ? Notebook.World.Names.ToList().IndexOf(world.Name) : int.MaxValue)
        .ThenBy(world => world.Name, StringComparer.Ordinal)]);

    /// <summary>What a file is called that was made with parameters; letters and signs that not every system takes are replaced.</summary>
    internal static string FileOf(string id, IReadOnlyDictionary<string, string> parameters)
    {
        string given = Describe(parameters).Replace(" = ", "=", StringComparison.Ordinal).Replace(", ", ",", StringComparison.Ordinal);
        string safe = Unsafe().Replace(given, "-");
        safe = safe.Length > 60 ? safe[..60] : safe;
        string unique = safe == given ? "" : "-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(given)))[..6];
        return parameters.Count == 0 ? $"{id}.html" : $"{id}.{safe}{unique}.html";
    }

    /// <summary>Parameters as pages name them: <c>ood = textures, seed = 1</c>.</summary>
    internal static string Describe(IReadOnlyDictionary<string, string> parameters) =>
        string.Join(", ", parameters.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key} = {pair.Value}"));

    // Capitals too: two names that differ only in them are one file on many systems.
    [GeneratedRegex("[^a-z0-9=,._-]")]
    private static partial Regex Unsafe();
}

/// <summary>The pages of one world.</summary>
/// <param name="Name">Name of the world; empty for notebooks that ran without one.</param>
/// <param name="Description">What the world is; may be empty.</param>
/// <param name="Pages">Its pages in the order in which they are to be read, each followed by its variants.</param>
internal sealed record SiteWorld(string Name, string Description, IReadOnlyList<SitePage> Pages)
{
    /// <summary>The folder of its pages in the site.</summary>
    [JsonIgnore]
    public string Folder => Name.Length > 0 ? Name : "notebooks";

    /// <summary>The pages of runs without parameters.</summary>
    [JsonIgnore]
    public IEnumerable<SitePage> Plain => Pages.Where(page => page.Parameters.Count == 0);

    /// <summary>The pages of a notebook's runs with parameters.</summary>
    public IEnumerable<SitePage> VariantsOf(string id) => Pages.Where(page => page.Id == id && page.Parameters.Count > 0);

    /// <summary>The world with a page in place of the one of the same notebook and parameters.</summary>
    public SiteWorld With(SitePage changed) => this with
    {
        Pages = [.. Pages.Where(page => page.File != changed.File).Append(changed)
            .OrderBy(page => page.Id, StringComparer.Ordinal).ThenBy(page => page.Parameters.Count > 0).ThenBy(page => page.File, StringComparer.Ordinal)],
    };
}

/// <summary>What other pages say of a page.</summary>
/// <param name="Id">The notebook's id.</param>
/// <param name="Title">Its title, as markdown.</param>
/// <param name="Question">Its question, as markdown.</param>
/// <param name="State">How its run ended.</param>
/// <param name="Seconds">Wall time of the run.</param>
/// <param name="Results">Declared results.</param>
/// <param name="ResultsMatching">Those of them that are as recorded.</param>
/// <param name="Error">Where and why it failed, on one line; null where it did not.</param>
/// <param name="Parameters">The parameters of the run; none for the notebook's own page.</param>
internal sealed record SitePage(
    string Id,
    string Title,
    string Question,
    RunState State,
    double Seconds,
    int Results,
    int ResultsMatching,
    string? Error,
    IReadOnlyDictionary<string, string> Parameters)
{
    /// <summary>Its file, in the folder of its world.</summary>
    [JsonIgnore]
    public string File => SiteManifest.FileOf(Id, Parameters);

    /// <summary>Whether anything was run for it.</summary>
    [JsonIgnore]
    public bool IsRun => State is not (RunState.NotRun or RunState.OtherWorld);

    public static SitePage Of(NotebookRun run)
    {
        CellRun? failed = run.Cells.FirstOrDefault(cell => cell.Error is not null);
        return new SitePage(
            run.Id,
            run.Title,
            run.Question,
            run.State,
            Math.Round(run.Elapsed.TotalSeconds, 3),
            run.Results.Count,
            run.Results.Count(result => result.State == CheckState.Matches),
            failed is null ? null : string.Create(null, $"Cell {failed.Number}: {failed.Error!.Message.Split('\n')[0]}"),
            run.Parameters);
    }
}
