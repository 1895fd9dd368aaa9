namespace ClipOod.Runner.Rendering;

/// <summary>What a site says of itself, beside its notebooks.</summary>
/// <param name="Title">Title of the index and first words of every page's bar.</param>
/// <param name="Subtitle">One or two sentences under the title; may be empty.</param>
/// <param name="World">The world that the notebooks ran in; empty for none.</param>
/// <param name="WorldDescription">What that world is; may be empty.</param>
/// <param name="WorldReach">What can be told in that world, a sentence for every page; may be empty.</param>
internal sealed record SiteOptions(string Title, string Subtitle = "", string World = "", string WorldDescription = "", string WorldReach = "");
