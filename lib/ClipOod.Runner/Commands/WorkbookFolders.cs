using ClipOod.Notebook;

namespace ClipOod.Runner.Commands;

/// <summary>Where things lie in the repository.</summary>
internal sealed record WorkbookFolders(string Root)
{
    public string Notebooks => Path.Combine(Root, "notebooks");

    public string Site => Path.Combine(Root, "artifacts", "site");

    public string Export => Path.Combine(Root, "artifacts", "export");

    public string Tools => Path.Combine(Root, ".config", "dotnet-tools.json");

    public string Library => Path.Combine(Root, "artifacts", "notebook");

    /// <summary>The repository that <see cref="RepositoryFolder.Find"/> finds.</summary>
    /// <param name="folder">Where a program from elsewhere starts.</param>
    /// <param name="otherwise">What the user can do other than to go into a repository; null where that is the only way.</param>
    /// <exception cref="CommandException">There is none.</exception>
    public static WorkbookFolders Around(string folder, string? otherwise = null) => new(RepositoryFolder.Find(folder) ?? throw new CommandException(
        $"Neither {folder} nor a folder above it holds the workbook's data/{PictogramWorld.WorldName}. Run clipood inside the repository{(otherwise is null ? "" : $", or {otherwise}")}."));
}
