"""The stdio MCP server: Cerver as tools for any agent."""
