namespace ClipOod.Testing;

/// <summary>The repository that the tests were built in.</summary>
public static class Repository
{
    /// <summary>The folder that holds ClipOod.sln.</summary>
    public static string Root { get; } = Find();

    private static string Find()
    {
        string folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "ClipOod.sln")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new DirectoryNotFoundException($"No folder above {AppContext.BaseDirectory} holds ClipOod.sln.");
        }

        return folder;
    }
}
