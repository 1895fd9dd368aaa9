using ClipOod.Notebook;

namespace ClipOod.Runner.Commands;

/// <summary>The world that the notebooks will run in.</summary>
internal static class CurrentWorld
{
    /// <summary>Its name, by which recorded results are filed; known also where the world is missing.</summary>
    public static string Name => Environment.GetEnvironmentVariable(World.WorldVariable) is { Length: > 0 } name ? name : World.Names[0];

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
    /// <param name="name">One of <see cref="World.Names"/>.</param>
    /// <exception cref="CommandException">There is no such world.</exception>
    public static void Choose(string name)
    {
        if (!World.Names.Contains(name))
        {
            throw new CommandException($"--world {name}: there is no such world. Worlds: {string.Join(", ", World.Names)}.");
        }

        Environment.SetEnvironmentVariable(World.WorldVariable, name);
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
