SELECT 'constant' AS answer;
