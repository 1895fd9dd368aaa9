namespace ClipOod.Notebook;

/// <summary>
/// Where fetched and encoded things lie: below the folder that CLIPOOD_DATA names, or else below <c>data/fetched</c> of the repository,
/// which git leaves alone.
/// </summary>
internal static class LocalData
{
    /// <summary>The environment variable that names the folder.</summary>
    public const string FolderVariable = "CLIPOOD_DATA";

    /// <summary>The folder, as a full path; it need not exist.</summary>
    /// <exception cref="WorldNotFoundException">The variable is unset, and there is no repository around.</exception>
    public static string Root => Environment.GetEnvironmentVariable(FolderVariable) is { Length: > 0 } folder
        ? Path.GetFullPath(folder)
        : Path.Combine(FindRepository(), "data", "fetched");

    /// <summary>The folder of a model's weights and vocabulary, as its publisher names the files.</summary>
    /// <param name="name">Name of a <see cref="SourceEntry"/>, such as "openai-vit-b-32".</param>
    public static string Weights(string name) => Path.Combine(Root, "weights", name);

    /// <summary>The folder of a data set's files, as its publisher names them.</summary>
    /// <param name="name">Name of a <see cref="SourceEntry"/>, such as "cifar10".</param>
    public static string Dataset(string name) => Path.Combine(Root, "datasets", name);

    /// <summary>The folder of the feature sets that a world opens.</summary>
    /// <param name="world">Name of the world, such as "clip-features".</param>
    public static string Features(string world) => Path.Combine(Root, "features", world);

    /// <summary>
    /// The root of the repository that this library was built in, whatever folder it is called from; for a library from elsewhere, of the
    /// one around the current folder: the nearest folder above that holds <c>data/pictograms</c>.
    /// </summary>
    /// <exception cref="WorldNotFoundException">There is none.</exception>
    internal static string FindRepository()
    {
        foreach (string start in new[] { Path.GetDirectoryName(typeof(LocalData).Assembly.Location) ?? "", Environment.CurrentDirectory })
        {
            for (DirectoryInfo? at = start.Length > 0 ? new(start) : null; at is not null; at = at.Parent)
            {
                if (Directory.Exists(Path.Combine(at.FullName, "data", PictogramWorld.WorldName)))
                {
                    return at.FullName;
                }
            }
        }

        throw new WorldNotFoundException(
            $"The repository is missing: neither {Environment.CurrentDirectory} nor a folder above it holds data/{PictogramWorld.WorldName}, which the packages of this library leave out. Run inside the repository, or take features of your own: World.OpenFeatures(folder).");
    }
}
