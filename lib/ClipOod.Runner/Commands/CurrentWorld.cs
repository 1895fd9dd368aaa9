using ClipOod.Notebook;

namespace ClipOod.Runner.Commands;

/// <summary>The world that the notebooks will run in.</summary>
internal static class CurrentWorld
{
    /// <summary>Its name, by which recorded results are filed; known also where the world is missing.</summary>
    public static string Name => Environment.GetEnvironmentVariable(World.WorldVariable) is { Length: > 0 } name
        ? World.IsFolder(name) ? Path.GetFileName(Path.TrimEndingDirectorySeparator(name)) : name
        : World.Names[0];

    /// <summary>Whether it is one of those that this repository has recorded results of.</summary>
    public static bool IsShipped => Name is PictogramWorld.WorldName or ClipFeatures.WorldName;

    /// <summary>
    /// The default world and the one that was fetched, where it was, and where the environment names neither a world nor a folder of features.
    /// </summary>
    public static IReadOnlyList<string> Fetched =>
        new[] { World.WorldVariable, ClipFeatures.FolderVariable }.All(name => string.IsNullOrEmpty(Environment.GetEnvironmentVariable(name))) && ClipFeatures.Folder is not null
            ? [World.Names[0], ClipFeatures.WorldName]
            : [World.Names[0]];

    /// <summary>Whether the world holds the data that its results were recorded with.</summary>
    public static bool IsAsRecorded => Name != ClipFeatures.WorldName || !ClipFeatures.HasTrainingPart;

    /// <summary>Chooses the world for this process and the notebooks that it starts.</summary>
    /// <param name="name">One of <see cref="World.Names"/>, another model's world, or a folder of features.</param>
    /// <exception cref="CommandException">There is no such world.</exception>
    public static void Choose(string name)
    {
        bool folder = World.IsFolder(name);
        if (!folder && !World.Names.Contains(name) && !EncodedWorld.IsKnown(name))
        {
            throw new CommandException($"--world {name}: there is no such world. Near are {Nearest.Of(name, World.Names.Concat(SourceCatalog.All.Where(entry => entry.Kind == SourceKind.Weights).Select(entry => EncodedWorld.NameOf(entry.Name))).Distinct())}; the path of a folder of features is one too.");
        }

        // The notebooks run in their own folder.
        Environment.SetEnvironmentVariable(World.WorldVariable, folder ? Path.GetFullPath(name) : name);
    }

    /// <summary>Opens the world, so that its absence is said once and not by every notebook.</summary>
    /// <exception cref="CommandException">It is not there, or broken.</exception>
    public static World Require()
    {
        // The notebooks run in their own folder, so a path relative to this one must not reach them as it is.
        foreach (string variable in new[] { ClipFeatures.FolderVariable, LocalData.FolderVariable })
        {
            if (Environment.GetEnvironmentVariable(variable) is { Length: > 0 } folder)
            {
                Environment.SetEnvironmentVariable(variable, Path.GetFullPath(folder));
            }
        }

        try
        {
            return World.Open();
        }
        catch (WorldNotFoundException e)
        {
            throw new CommandException(e.Message);
        }
    }
}
