namespace ClipOod.Notebook.Tests;

/// <summary>The concepts of the repository, and small ones made by hand.</summary>
internal static class Concepts
{
    public static string Folder { get; } = Find();

    public static IReadOnlyList<Concept> All { get; } = ConceptFile.LoadFolder(Path.Combine(Folder, "concepts"));

    public static Concept Named(string name) => All.Single(concept => concept.Name == name);

    /// <summary>A concept file of one square.</summary>
    public static string Json(string name = "square", string parts = """{ "role": "body", "path": "M20 20H80V80H20Z" }""", string more = "") =>
        $$"""{ "set": "toy", "concepts": [ { "name": "{{name}}", {{more}} "drawings": [ { "parts": [ {{parts}} ] } ] } ] }""";

    private static string Find()
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            string folder = Path.Combine(at.FullName, "data", "pictograms");
            if (Directory.Exists(folder))
            {
                return folder;
            }
        }

        throw new InvalidOperationException("No folder above the tests holds data/pictograms.");
    }
}
