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

    /// <summary>Those of the repository that <see cref="LocalData.FindRepository"/> finds.</summary>
    /// <param name="otherwise">What the user can do other than to go into a repository; null where that is the only way.</param>
    /// <exception cref="CommandException">There is none.</exception>
    public static WorkbookFolders Find(string? otherwise = null)
    {
        try
        {
            return new WorkbookFolders(LocalData.FindRepository());
        }
        catch (WorldNotFoundException e)
        {
            throw new CommandException(otherwise is null ? e.Message : $"{e.Message} Or {otherwise}.");
        }
    }
}
