namespace ClipOod.Runner.Commands;

/// <summary>Where things lie in the repository.</summary>
internal sealed record WorkbookFolders(string Root)
{
    public string Notebooks => Path.Combine(Root, "notebooks");

    public string Site => Path.Combine(Root, "artifacts", "site");

    public string Export => Path.Combine(Root, "artifacts", "export");

    public string Tools => Path.Combine(Root, ".config", "dotnet-tools.json");

    public string Library => Path.Combine(Root, "artifacts", "notebook");

    /// <summary>
    /// The repository that this program was built in, whatever folder it is called from; for a program from elsewhere, the one around a
    /// folder: the nearest folder above that holds <c>notebooks/</c>.
    /// </summary>
    /// <param name="folder">Where a program from elsewhere starts.</param>
    /// <param name="otherwise">What the user can do other than to go into a repository; null where that is the only way.</param>
    /// <exception cref="CommandException">There is none.</exception>
    public static WorkbookFolders Around(string folder, string? otherwise = null)
    {
        foreach (string start in new[] { AppContext.BaseDirectory, folder })
        {
            for (DirectoryInfo? at = new(start); at is not null; at = at.Parent)
            {
                if (Directory.Exists(Path.Combine(at.FullName, "notebooks")))
                {
                    return new WorkbookFolders(at.FullName);
                }
            }
        }

        throw new CommandException(
            $"Neither {folder} nor a folder above it holds a folder 'notebooks'. Run clipood inside the repository{(otherwise is null ? "" : $", or {otherwise}")}.");
    }
}
