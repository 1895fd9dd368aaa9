namespace ClipOod.Runner.Commands;

/// <summary>The world that the notebooks will run in.</summary>
internal static class CurrentWorld
{
    private const string FolderVariable = "CLIPOOD_FEATURES";

    public const string Name = "clip-features";

    /// <summary>Finds the world, so that its absence is said once and not by every notebook.</summary>
    /// <exception cref="CommandException">It is not there.</exception>
    public static void Require()
    {
        string? folder = Environment.GetEnvironmentVariable(FolderVariable);
        if (!Directory.Exists(folder))
        {
            throw new CommandException(
                $"The world '{Name}' is missing: {FolderVariable} is {(folder is null ? "not set" : $"'{folder}', which is no folder")}. "
                + $"Set {FolderVariable} to a folder of CLIP features.");
        }
    }
}
